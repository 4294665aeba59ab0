"""The login page, the session cookie, and the check that a request has a session."""

from __future__ import annotations

import html
import math
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tallow.stack.viewer.allowlist import RequestRefusedError
from tallow.stack.viewer.login_failures import LoginFailures
from tallow.stack.viewer.proxy import parse_form, read_body
from tallow.stack.viewer.sessions import LIFETIME_S, PasswordCheck, Sessions

PAGES: Final = Path(__file__).parent / "pages"
MAX_FORM: Final = 8 * 1024


class LoginPage:
    """Shows the login form, opens sessions and ends them.

    Args:
        password_check: compares passwords and limits the rate of attempts.
        sessions: the open sessions.
        user: the name shown in the form, for password managers.
        failures: counts and logs each failed attempt.
    """

    def __init__(
        self, password_check: PasswordCheck, sessions: Sessions, user: str, failures: LoginFailures
    ) -> None:
        self._password_check = password_check
        self._sessions = sessions
        self._user = user
        self._failures = failures
        self._page = Template((PAGES / "login.html").read_text(encoding="utf-8"))
        self._style = (PAGES / "login.css").read_text(encoding="utf-8")

    def is_logged_in(self, request: Request) -> bool:
        """Whether a request has a session."""
        return self._sessions.is_open(request.cookies.get(cookie_name(request)))

    async def style(self, _request: Request) -> Response:
        return Response(self._style, headers={"cache-control": "no-cache"}, media_type="text/css")

    async def show(self, request: Request) -> Response:
        wanted = local_path(request.query_params.get("next"))
        return RedirectResponse(wanted, 303) if self.is_logged_in(request) else self._form(wanted)

    def redirect_to_login(self, request: Request) -> Response:
        """Redirect to the login page, which leads back to the requested page."""
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        login = f"/login?next={quote(local_path(wanted), safe='')}"
        return RedirectResponse(login, 303, {"cache-control": "no-store"})

    async def log_in(self, request: Request) -> Response:
        """Check a posted password; redirect to the requested page, or show the form with an error.

        Raises:
            RequestRefusedError: 400 or 413 for a body that is not a form.
        """
        fields = await self._fields(request)
        wanted = local_path(fields.get("next"))
        address = request.client.host if request.client else ""
        seconds = math.ceil(self._password_check.seconds_to_wait(address))
        if seconds:
            self._failures.record("rate_limited")
            response = self._form(wanted, f"Too many wrong passwords. Try again in {seconds} s.", 429)
            response.headers["retry-after"] = str(seconds)
            return response
        if not self._password_check.check(address, fields.get("password", "")):
            self._failures.record("wrong_password")
            return self._form(wanted, "Wrong password.", 401)
        response = RedirectResponse(wanted, 303)
        response.set_cookie(
            cookie_name(request),
            self._sessions.open(),
            max_age=LIFETIME_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        self._sessions.close(request.cookies.get(cookie_name(request)))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(cookie_name(request), httponly=True, samesite="strict")
        return response

    async def _fields(self, request: Request) -> dict[str, str]:
        try:
            return dict(parse_form(await read_body(request, MAX_FORM)))
        except RequestRefusedError:
            self._failures.record("malformed")
            raise

    def _form(self, wanted: str, error: str = "", status: int = 200) -> Response:
        filled = {
            "next": wanted,
            "error": error,
            "user": self._user,
            "described": "error" if error else "where",
        }
        page = self._page.substitute({name: html.escape(value) for name, value in filled.items()})
        return Response(page, status, {"cache-control": "no-store"}, media_type="text/html")


def cookie_name(request: Request) -> str:
    """Cookies ignore ports (RFC 6265, section 8.5), so each port of a machine has its own name."""
    return f"tallow_viewer_{request.url.port or request.url.scheme}"


def local_path(wanted: str | None) -> str:
    """A path on this server; the start page for anything else.

    Browsers take ``//host`` and ``/\\host`` for another host, and drop control characters.
    """
    if not wanted or not wanted.startswith("/") or wanted[1:2] in {"/", "\\"}:
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_external = parts.scheme or parts.netloc or any(ord(character) < 33 for character in wanted)
    return "/" if is_external else quote(wanted, safe="/?&=%:-_.~$+,;@!'()*")


def require_session(page: LoginPage, request: Request) -> None:
    """Refuse a request without a session.

    Raises:
        RequestRefusedError: 401, there is no session.
    """
    if not page.is_logged_in(request):
        raise RequestRefusedError(401, "log in first")
