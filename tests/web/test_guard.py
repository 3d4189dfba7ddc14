"""Only the page's own address, token and pages are answered: tried over real sockets."""

import socket
import time

import pytest

from imgbatch.web.guard import MOST_BODY_BYTES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def without(headers, name):
    return {key: value for key, value in headers.items() if key != name}


def test_the_printed_address_gives_a_cookie_and_leads_on_without_the_token(served):
    reply = served.ask("GET", f"/similar?token={served.token}&n=5", headers={"Host": served.host})
    assert reply.status == 303
    assert reply.headers["Location"] == "/similar?n=5"
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(f"imgbatch-{served.port}={served.token};")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "///evil.example"])
def test_the_way_in_never_leads_to_another_site(served, path):
    reply = served.ask("GET", f"{path}?token={served.token}", headers={"Host": served.host})
    assert reply.status == 303
    assert reply.headers["Location"] in {"/evil.example/", "/evil.example"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""],
)
def test_another_host_is_refused_even_with_the_cookie(served, host):
    headers = served.headers | {"Host": host.format(port=served.port)}
    assert served.ask("GET", "/similar?seed=1", headers=headers).status == 403


def test_two_hosts_are_refused(served):
    raw = f"GET /basket HTTP/1.1\r\nHost: {served.host}\r\nHost: evil.example\r\nCookie: {served.headers['Cookie']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(raw.encode())
        assert connection.recv(12) in {b"HTTP/1.1 400", b"HTTP/1.1 403"}


@pytest.mark.parametrize("path", ["/similar?seed=1", "/thumbnails/{id}", "/static/page.css", "/x"])
@pytest.mark.parametrize(
    "cookie", [None, "imgbatch-{port}=wrong", "imgbatch-1={token}", "garbage;;="]
)
def test_without_the_right_cookie_nothing_is_answered(served, path, cookie):
    headers = without(served.headers, "Cookie")
    if cookie is not None:
        headers["Cookie"] = cookie.format(port=served.port, token=served.token)
    reply = served.ask("GET", path.format(id=served.site.id_of(0)), headers=headers)
    assert reply.status == 403
    assert "the terminal shows" in reply.text


@pytest.mark.parametrize(
    "other",
    [
        "theme=dark mode",
        'state={"a": [1, "b"]}',
        "version=3",
        "na me=1",
        "\xfc=\xe4",
        "=",
        ";;",
        "a",
    ],
)
@pytest.mark.parametrize("form", ["{other}; {own}", "{own}; {other}", "{other};{own} ;x=y"])
def test_cookies_of_other_programs_of_this_machine_lock_nobody_out(served, other, form):
    headers = served.headers | {"Cookie": form.format(other=other, own=served.headers["Cookie"])}
    assert served.ask("GET", "/static/page.css", headers=headers).status == 200


def test_a_wrong_token_gives_no_cookie(served):
    reply = served.ask("GET", "/?token=wrong", headers={"Host": served.host})
    assert (reply.status, reply.headers["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://{host}"}, 303),
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://{host}"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_changes_are_taken_from_the_pages_own_forms_alone(served, headers, status):
    own = {name: value.format(host=served.host) for name, value in headers.items()}
    body = b"undo=1"
    reply = served.ask("POST", "/basket/change", body, served.headers | FORM | own)
    assert reply.status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(served, method):
    assert served.ask(method, "/basket", headers=served.headers).status in {400, 405}


@pytest.mark.parametrize("path", ["/basket/change"])
def test_what_changes_something_is_not_answered_by_a_link(served, path):
    assert served.get(path).status == 405


def test_a_body_that_is_too_long_is_refused_before_it_is_read(served):
    headers = served.headers | FORM | {"Sec-Fetch-Site": "same-origin"}
    headers["Content-Length"] = str(MOST_BODY_BYTES + 1)
    assert served.ask("POST", "/basket/change", None, headers).status == 413


def test_every_answer_forbids_foreign_code_frames_and_guessed_types(served):
    for path in (
        "/similar?seed=1",
        "/nothing",
        "/static/page.css",
        f"/thumbnails/{served.site.id_of(0)}",
    ):
        reply = served.get(path)
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Server"] is None
    assert served.get("/basket").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd", "../../etc/passwd", "0", "0-", "0-000000000000", "-1-aaaaaaaaaaaa",
        "99999999999999999999-aaaaaaaaaaaa", "%00", "0-%ff%fe", "٣-aaaaaaaaaaaa",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["thumbnails", "pictures"])
def test_pictures_are_named_by_ids_alone(served, kind, name):
    from urllib.parse import quote

    assert served.get(f"/{kind}/{quote(name, safe='%/.-')}").status == 404


@pytest.mark.parametrize("path", ["/thumbnails/..%2F", "/basket/", "/similar/", "/static/"])
def test_a_path_with_one_slash_too_many_leads_nowhere(served, path):
    assert served.get(path).status == 404


@pytest.mark.parametrize("name", ["../guard.py", "..%2fguard.py", "page.html", ".css", "x.css"])
def test_assets_are_the_packages_own(served, name):
    assert served.get(f"/static/{name}").status == 404


def test_a_tab_that_is_closed_while_it_sends_a_picture_leaves_no_traceback(own_page, capfd, caplog):
    head = {
        **own_page.headers,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": "100000",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    with socket.create_connection(("127.0.0.1", own_page.port)) as connection:
        connection.sendall(f"POST /search/bring HTTP/1.1\r\n{lines}\r\n--x\r\n".encode())
        time.sleep(0.3)
    time.sleep(0.3)
    assert own_page.get("/basket").status == 200
    told = capfd.readouterr()
    assert "Traceback" not in told.out + told.err + caplog.text
