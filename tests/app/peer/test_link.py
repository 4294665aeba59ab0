"""Links are parsed strictly, and neither errors nor representations contain the secret."""

from __future__ import annotations

import pytest

from tallow.app.peer.link import Link, LinkError, is_exposed, new_secret, origin, token_hash

TEXT = "https://tallow.example/#abcdefgh234567ab.AAECAwQFBgcICQoLDA0ODw"


def test_a_link_is_parsed_from_its_text() -> None:
    link = Link("http://localhost:3000", "abcdefgh234567ab", new_secret())
    assert Link.parse(f"  {link.text}\n") == link
    assert Link.parse(TEXT).secret == bytes(range(16))


@pytest.mark.parametrize(
    "text", ["#abcdefgh234567ab.AAECAwQFBgcICQoLDA0ODw", "abcdefgh234567ab.AAECAwQFBgcICQoLDA0ODw"]
)
def test_a_link_without_a_server_uses_the_given_one(text: str) -> None:
    assert Link.parse(text, lambda: "https://tallow.example") == Link.parse(TEXT)
    assert Link.parse(TEXT, lambda: "https://another.example") == Link.parse(TEXT)
    with pytest.raises(LinkError):
        Link.parse(text)


def test_the_representation_does_not_contain_the_secret() -> None:
    link = Link.parse(TEXT)
    assert "AAECAw" not in repr(link)
    assert str(link.secret) not in f"{link}"


def test_the_token_hash_is_neither_secret_nor_token() -> None:
    link = Link.parse(TEXT)
    assert len(link.join_token) == 32
    assert token_hash(link.secret) not in {link.secret.hex(), link.join_token.hex()}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no #"),
        ("https://tallow.example/", "no #"),
        ("https://tallow.example/#", "ROOM.SECRET"),
        (TEXT[:-1], "ROOM.SECRET"),
        (TEXT + "A", "ROOM.SECRET"),
        (TEXT[:-1] + "x", "last character"),
        (TEXT.replace("#a", "#A"), "ROOM.SECRET"),
        (TEXT.replace("https", "ftp"), "https://HOST"),
        (TEXT.replace("example/", "example/path/"), "after its host"),
        (TEXT.replace("example/", "example/?q=1"), "after its host"),
        (TEXT.replace("tallow.example", "user@tallow.example"), "https://HOST"),
        (TEXT.replace("tallow.example", "host:99999"), "not valid"),
        (TEXT.replace("tallow.example", "[::1"), "not valid"),
        (TEXT.replace("tallow.example", ""), "https://HOST"),
    ],
)
def test_an_invalid_link_is_refused_without_repeating_it(text: str, wrong: str) -> None:
    with pytest.raises(LinkError, match=wrong) as refused:
        Link.parse(text)
    assert "AAECAwQFBgcICQoLDA0OD" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("HTTPS://Tallow.Example", "https://tallow.example"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
    ],
)
def test_an_origin_is_normalized(address: str, expected: str) -> None:
    assert origin(address) == expected


@pytest.mark.parametrize(
    ("server", "exposed"),
    [
        ("http://tallow.example", True),
        ("http://192.168.1.2:3000", True),
        ("https://tallow.example", False),
        ("http://localhost:3000", False),
        ("http://127.0.0.1", False),
        ("http://[::1]:3000", False),
        ("http://localhost.example", True),
    ],
)
def test_plain_http_to_another_machine_is_exposed(server: str, exposed: bool) -> None:
    assert is_exposed(server) is exposed
