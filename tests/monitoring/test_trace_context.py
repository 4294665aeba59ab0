"""The rules of W3C Trace Context, with the cases of its own test suite (github.com/w3c/trace-context)."""

from __future__ import annotations

import pytest

from tallow.monitoring import correlation, trace_context

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
VALID = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (VALID, "01"),
        (f"00-{TRACE}-{PARENT}-00", "00"),
        (f"00-{TRACE}-{PARENT}-03", "03"),
        (f"\t{VALID} ", "01"),
        (f"cc-{TRACE}-{PARENT}-01", "01"),
        (f"01-{TRACE}-{PARENT}-01-what-the-future-will-be-like", "01"),
        (f"cc-{TRACE}-{PARENT}-ff", "03"),
        (f"fe-{TRACE}-{PARENT}-08", "00"),
    ],
)
def test_a_valid_traceparent_is_read(header: str, flags: str) -> None:
    found = trace_context.parse({"traceparent": header})
    assert found is not None
    assert (found.trace_id, found.parent_id, found.flags) == (TRACE, PARENT, flags)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-extra",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01.",
        f"cc-{TRACE}-{PARENT}-01.what",
        f"cc-{TRACE}-{PARENT}-0101",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"000-{TRACE}-{PARENT}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}0-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0x",
        f".0-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01\n",
        f"{VALID},{VALID}",
    ],
)
def test_an_invalid_traceparent_is_dropped_with_its_tracestate(header: str) -> None:
    assert trace_context.parse({"traceparent": header, "tracestate": "foo=1"}) is None
    assert correlation.from_headers({"traceparent": header}) is None


@pytest.mark.parametrize(
    "state",
    [
        "foo=1",
        "foo=1,bar=2",
        "foo=1 \t , \t bar=2,",
        "foo=1,foo=2",
        "foo= 1",
        ",foo=1,,bar=2",
        f"{'z' * 256}=1",
        f"{'t' * 241}@{'v' * 14}=1",
        "0tenant@vendor=1",
        f"foo={'v' * 256}",
        "foo=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~",
        ",".join(f"bar{number:02}={number:02}" for number in range(32)),
    ],
)
def test_a_valid_tracestate_is_passed_on_unchanged(state: str) -> None:
    found = trace_context.parse({"traceparent": VALID, "tracestate": state})
    assert found is not None
    assert found.headers("00f067aa0ba902b7") == {
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "tracestate": state,
    }


@pytest.mark.parametrize(
    "state",
    [
        "foo",
        "foo=",
        "=1",
        "foo=1;bar=2",
        "FOO=1",
        "foo.bar=1",
        "foo @=1",
        "foo@=1,bar=2",
        "@foo=1,bar=2",
        "foo@@bar=1,bar=2",
        "foo@bar@baz=1,bar=2",
        f"{'z' * 257}=1",
        f"{'t' * 242}@v=1",
        f"t@{'v' * 15}=1",
        f"foo={'v' * 257}",
        "foo=1=2",
        "foo=é",
        "foo=1\r\nx-evil: 1",
        ",".join(f"bar{number:02}={number:02}" for number in range(33)),
        "a=1," * 5_000,
    ],
)
def test_an_invalid_tracestate_is_dropped_and_the_traceparent_kept(state: str) -> None:
    found = trace_context.parse({"traceparent": VALID, "tracestate": state})
    assert found is not None
    assert found.headers("00f067aa0ba902b7") == {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


def test_a_long_tracestate_loses_whole_members_large_ones_first_then_from_the_end() -> None:
    large = f"large={'x' * 200}"
    small = [f"m{number:02}={'y' * 16}" for number in range(25)]
    kept = trace_context.valid_state(",".join([small[0], large, *small[1:]]))
    assert len(kept) <= trace_context.MAX_STATE
    assert kept.split(",") == small[: len(kept.split(","))]
    assert len(kept) + 1 + len(small[0]) > trace_context.MAX_STATE


def test_several_tracestate_headers_are_joined_and_several_traceparents_are_dropped() -> None:
    headers = [(b"tracestate", b"foo=1"), (b"traceparent", VALID.encode()), (b"tracestate", b"bar=2,rojo=3")]
    found = trace_context.parse(trace_context.from_asgi(headers))
    assert found is not None
    assert found.state == "foo=1,bar=2,rojo=3"
    twice = [*headers, (b"traceparent", VALID.encode())]
    assert trace_context.parse(trace_context.from_asgi(twice)) is None


def test_a_trace_context_is_described_without_its_tracestate() -> None:
    found = trace_context.parse({"traceparent": VALID, "tracestate": "foo=alice"})
    assert "alice" not in repr(found)
