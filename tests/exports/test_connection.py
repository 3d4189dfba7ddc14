"""Errors of PostgreSQL are readable, and no password is ever in them."""

import pytest

from imgbatch.errors import DatabaseError
from imgbatch.exports.connection import Address

psycopg = pytest.importorskip("psycopg")
pytest.importorskip("pgvector")

URLS = (
    "postgresql://ann:pa%40ss-w0rd@localhost:5432/photos",
    "postgresql://ann@localhost:5432/photos?password=pa%40ss-w0rd",
    "postgresql://ann@localhost/photos?sslpassword=pa%40ss-w0rd",
)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.errors.InsufficientPrivilege])
def test_a_password_that_the_server_repeats_is_masked(url, kind):
    address = Address.parse(url)
    with pytest.raises(DatabaseError) as caught, address._readable():
        raise kind("\nlogin with pa@ss-w0rd and pa@ss-w0rd failed\nDETAIL: more")
    assert "pa@ss-w0rd" not in str(caught.value)
    assert "login with *** and *** failed" in caught.value.message
    assert "DETAIL" not in str(caught.value)


@pytest.mark.parametrize("url", URLS)
def test_no_password_is_in_what_an_address_shows(url):
    address = Address.parse(url)
    assert "w0rd" not in address.shown
    assert "w0rd" not in repr(address)


def test_a_password_in_a_failed_connection_is_masked(monkeypatch):
    def refuse(**options):
        raise psycopg.OperationalError(f"no entry for {options['password']}")

    monkeypatch.setattr(psycopg, "connect", refuse)
    address = Address.parse(URLS[0])
    with pytest.raises(DatabaseError, match=r"no entry for \*\*\*"), address.connect():
        pass
