"""Links, fetched from a server that misbehaves: what is kept, what is dropped and why."""

import asyncio
import os
import signal
import threading
import time
from itertools import pairwise
from urllib.parse import unquote

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("stamina")
pytest.importorskip("protego")

from imgbatch.errors import OutputError, UsageError
from imgbatch.intake import addresses, fetch, hosts
from imgbatch.intake.records import LinkOptions
from tests.intake.making import CONFIG, dropped_rows, kept_rows, made, pictures_in
from tests.intake.server import Answers, Misbehaving, picture

QUICK = CONFIG.prepare.model_copy(
    update={
        "read_seconds": 30.0, "total_seconds": 60.0, "connect_seconds": 5.0, "wait_seconds": 0.02,
        "most_wait_seconds": 2.0, "attempts": 3, "max_download_megabytes": 1.0,
    }
)  # fmt: skip


@pytest.fixture
def server():
    one = Misbehaving()
    yield one
    one.stop()


@pytest.fixture
def only_here(monkeypatch):
    """127.0.0.1 counts as public, nothing else does."""
    monkeypatch.setattr(addresses, "is_global", lambda address: address == "127.0.0.1")


def fetched(tmp_path, links, *, to="to", **options):
    """What `prepare` makes of a plain list of links."""
    settings = options.pop("settings", {})
    table = tmp_path / "links.txt"
    table.write_text("".join(f"{link}\n" for link in links))
    size = options.pop("size", None)
    options = {"allow_private": True} | options
    config = CONFIG.model_copy(update={"prepare": QUICK.model_copy(update=settings)})
    return made(table, tmp_path / to, size=size, config=config, links=LinkOptions(**options))


CASES = {
    "good/1.jpg": "", "typed/1.jpg": "", "to/to/good/1.jpg": "", "hops/4": "", "busy/1.jpg": "",
    "ill/1.jpg": "", "packed/1.jpg": "", "other/1.jpg": "",
    "gone/1.jpg": "refused", "forbidden/1.jpg": "refused", "html/1.jpg": "unreadable",
    "empty/1.jpg": "unreadable", "slow/1.jpg": "timeout", "trickle/1.jpg": "timeout",
    "endless/1.jpg": "too-large", "claims/1.jpg": "too-large", "bomb/1.jpg": "too-large",
    "truncated/1.jpg": "incomplete", "cut/1.jpg": "unreadable", "circle/1.jpg": "redirects",
    "hops/5": "redirects", "file/1": "no-link", "nowhere/1": "redirects", "later/1.jpg": "busy",
    "dead/1.jpg": "server-error", "pixels/1.png": "unreadable", "noai/1.jpg": "opt-out",
    "garbage/1": "refused",
}  # fmt: skip
"""What the server does, and the reason why the row is dropped; "" if it is kept."""
IN_A_HURRY = {"slow": {"read_seconds": 0.3}, "trickle": {"total_seconds": 0.5}}
TRIED_AGAIN = {"slow", "trickle", "truncated", "dead"}


@pytest.mark.parametrize("case", CASES)
def test_each_misbehaviour_has_its_end(case, server, tmp_path):
    kind = case.split("/")[0]
    done = fetched(tmp_path, [server.url(case)], settings=IN_A_HURRY.get(kind, {}))
    assert dict(done.dropped) == ({CASES[case]: 1} if CASES[case] else {})
    assert done.images == done.kept == (not CASES[case])
    if done.kept:
        ((path, data),) = pictures_in(tmp_path / "to").items()
        assert data == picture(1)
        assert kept_rows(tmp_path / "to") == [{"file_name": path, "url": server.url(case)}]
    else:
        times = server.asked[f"/{case}"]
        wanted = 3 if kind in TRIED_AGAIN else 6 if kind == "circle" else 1
        assert times == wanted
    assert not (tmp_path / "to" / ".imgbatch" / "drafts").exists()


def test_all_of_them_at_once_end_as_they_do_alone(server, tmp_path):
    cases = [case for case in CASES if case.split("/")[0] not in IN_A_HURRY]
    done = fetched(tmp_path, [server.url(case) for case in cases])
    reasons = dict(dropped_rows(tmp_path / "to"))
    for row, case in enumerate(cases, start=1):
        same = "" if row == 1 else "same-picture"  # all good ones are one picture
        assert reasons.get(row, "") == (CASES[case] or same), case
    assert (done.images, done.kept) == (1, 1)


def test_equal_content_is_kept_once_and_names_are_digests(server, tmp_path):
    links = [server.url(f"same/{number}.jpg") for number in range(5)]
    done = fetched(tmp_path, links)
    assert (done.kept, dict(done.dropped)) == (1, {"same-picture": 4})
    (path,) = pictures_in(tmp_path / "to")
    assert path.count("/") == 2
    assert len(path) == len("images/ab/.jpg") + 64


def test_names_that_collide_do_not_matter(server, tmp_path):
    links = [server.url(f"good/{number}/a.jpg?v={number}") for number in range(2)]
    links += [server.url("good/3.jpg"), server.url("good/4.jpg")]
    done = fetched(tmp_path, links, size=(32, 32))
    assert done.images == 3  # the path, not the query, chooses this server's picture


OLD_FORMS = ("0x7f000001", "2130706433", "127.1")


# ----- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "0x7f000001", "2130706433", "127.1",
     "[::ffff:127.0.0.1]", "169.254.169.254", "10.1.2.3"],
)  # fmt: skip
def test_private_addresses_are_not_asked_however_they_are_written(host, server, tmp_path):
    done = fetched(tmp_path, [server.url("good/1.jpg", host)], allow_private=False)
    # Numbers in old forms are no names of hosts for some libraries, and addresses for others.
    wanted = {"no-link", "private-address"} if host in OLD_FORMS else {"private-address"}
    assert done.images == 0
    assert set(done.dropped) <= wanted
    assert not server.asked


def test_what_an_option_allows_is_tried_again_without_being_named(server, tmp_path):
    server.robots = "User-agent: *\nDisallow: /good/\n"
    links = [server.url("good/1.jpg")]
    done = fetched(tmp_path, links, allow_private=False)
    assert dict(done.dropped) == {"private-address": 1}
    assert any("--allow-private" in note for note in done.notes)
    assert dict(fetched(tmp_path, links).dropped) == {"robots": 1}
    asked = dict(server.asked)
    assert dict(fetched(tmp_path, links).dropped) == {"robots": 1}
    assert server.asked == asked
    assert fetched(tmp_path, links, ignore_opt_out=True).kept == 1


def test_a_list_of_paths_that_is_taken_for_links_is_told(tmp_path):
    done = fetched(tmp_path, ["photos/1.jpg", "photos/2.jpg"])
    assert dict(done.dropped) == {"no-link": 2}
    assert any("--images" in note for note in done.notes)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost2.invalid", "169.254.169.254", "[::1]"])
def test_a_redirect_into_a_private_network_is_not_followed(host, server, tmp_path, only_here):
    links = [server.url(f"away/{host}/1.jpg"), server.url("good/1.jpg")]
    done = fetched(tmp_path, links, allow_private=False)
    assert done.kept == 1
    assert set(done.dropped) <= {"private-address", "unknown-host"}
    assert set(map(unquote, server.asked)) == {f"/away/{host}/1.jpg", "/good/1.jpg", "/robots.txt"}


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch):
    """A name that has public and private addresses leads to the public ones only."""

    async def both(self, host, port=0, family=0):
        return [{"host": one} for one in ("10.0.0.1", "93.184.215.14")]

    monkeypatch.setattr(addresses.aiohttp.ThreadedResolver, "resolve", both)

    async def resolve(allowed):
        return await addresses.GlobalResolver(allowed).resolve("example.org")

    assert asyncio.run(resolve(addresses.is_global)) == [{"host": "93.184.215.14"}]
    with pytest.raises(addresses.PrivateAddressError):
        asyncio.run(resolve(lambda _: False))


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
     "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
     "fc00::1", "fe80::1", "ff02::1", "::ffff:192.168.0.1", "2002:0a00:0001::1",
     "64:ff9b::a00:1", "2001:db8::1", "fec0::2", "::10.0.0.1", "::ffff:0:10.0.0.1", "4000::1",
     "no address", ""],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not addresses.is_global(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are_public(address):
    assert addresses.is_global(address)


# ----- politeness ---------------------------------------------------------------------------------


def test_robots_txt_is_asked_once_and_obeyed(server, tmp_path):
    server.robots = "User-agent: imgbatch\nDisallow: /good/private\n\nUser-agent: *\nDisallow: /\n"
    links = [server.url(path) for path in ("good/1.jpg", "good/2.jpg", "good/private/3.jpg")]
    done = fetched(tmp_path, links)
    assert (done.kept, dict(done.dropped)) == (2, {"robots": 1})
    assert server.asked["/robots.txt"] == 1
    assert server.asked["/good/private/3.jpg"] == 0
    assert all(agent.startswith("imgbatch/") for agent in server.agents)


def test_a_redirect_leads_only_where_robots_txt_allows(server, tmp_path):
    server.robots = "User-agent: *\nDisallow: /good\n"
    done = fetched(tmp_path, [server.url("to/good/1.jpg")])
    assert dict(done.dropped) == {"robots": 1}
    assert server.asked["/good/1.jpg"] == 0


def test_opt_outs_are_ignored_where_that_is_asked_for(server, tmp_path):
    server.robots = "User-agent: *\nDisallow: /\n"
    links = [server.url("noai/1.jpg"), server.url("good/2.jpg")]
    assert fetched(tmp_path, links, ignore_opt_out=True).kept == 2
    assert server.asked["/robots.txt"] == 0


def test_a_robots_txt_that_cannot_be_read_keeps_us_out(server, tmp_path):
    server.robots = lambda handler: handler.send(b"", 503)
    done = fetched(tmp_path, [server.url("good/1.jpg")])
    assert dict(done.dropped) == {"busy": 1}
    assert server.asked["/good/1.jpg"] == 0


@pytest.mark.parametrize(
    ("robots", "detail"),
    [(lambda answer: answer.on_file(""), "leads to file:///etc/passwd, no http:// or https://"),
     (lambda answer: answer.on_garbage(""), "the answer is no HTTP"),
     (lambda answer: answer.on_dead(""), "HTTP 502")],
)  # fmt: skip
def test_what_is_wrong_with_robots_txt_is_told_of_it(robots, detail, server, tmp_path):
    server.robots = robots
    fetched(tmp_path, [server.url("good/1.jpg")])
    assert f",robots.txt: {detail}," in (tmp_path / "to" / "dropped.csv").read_text().replace(
        '"', ""
    )


def test_a_host_whose_robots_txt_keeps_silent_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "_GIVEN_UP_SECONDS", 0.5)
    server.robots = lambda handler: handler.on_slow("")
    links = [server.url(f"good/{number}.jpg") for number in range(40)]
    done = fetched(tmp_path, links, settings={"read_seconds": 0.2})
    assert dict(done.dropped) == {"timeout": 40}
    assert 3 <= server.asked["/robots.txt"] < 10
    assert "it is not asked for again" in (tmp_path / "to" / "dropped.csv").read_text()


def test_a_robots_txt_that_fails_for_a_moment_is_asked_for_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "_GIVEN_UP_SECONDS", 0.5)
    answers = iter([503] * 5)

    def robots(handler):
        handler.send(b"", next(answers, 404))

    server.robots = robots
    done = fetched(tmp_path, [server.url(f"good/{number}.jpg") for number in range(6)])
    assert done.kept == 6


def test_an_endless_robots_txt_is_read_in_part(server, tmp_path):
    server.robots = lambda handler: handler.on_endless("")
    assert fetched(tmp_path, [server.url("good/1.jpg")]).kept == 1


def test_a_host_gets_two_requests_at_once_and_more_if_asked(server, tmp_path):
    links = [server.url(f"waits/{number}.jpg") for number in range(12)]
    assert fetched(tmp_path, links).kept == 12
    assert server.most_at_once == 2
    fetched(tmp_path, links, to="other", per_host=6)
    assert 2 < server.most_at_once <= 6


def test_retry_after_is_waited_for_by_all_links_of_the_host(server, tmp_path):
    fetched(tmp_path, [server.url("busy/1.jpg")])
    first, second = server.times["/busy/1.jpg"]
    assert second - first >= 0.99


@pytest.mark.parametrize(
    ("value", "reason"),
    [("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "busy"), ("9" * 400, "busy"),
     ("Mon, 01 Jan 2030 00:00:00 +99999999999999999999", "busy"), ("-5", "busy"), ("soon", "busy")],
)  # fmt: skip
def test_an_odd_retry_after_costs_one_link(value, reason, server, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Answers, "on_odd", lambda self, _: self.send(b"", 429, Retry_After=value), raising=False
    )
    done = fetched(tmp_path, [server.url("odd/1.jpg"), server.url("good/1.jpg")])
    assert (done.kept, dict(done.dropped)) == (1, {reason: 1})


def test_a_redirect_to_a_name_that_is_none_costs_one_link(server, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Answers, "on_odd", lambda self, _: self.send(b"", 302, Location="http://xn--a.invalid/"),
        raising=False,
    )  # fmt: skip
    done = fetched(tmp_path, [server.url("odd/1.jpg"), server.url("good/1.jpg")])
    assert (done.kept, dict(done.dropped)) == (1, {"no-link": 1})


def test_a_link_that_is_no_text_costs_one_row(server, tmp_path):
    (tmp_path / "links.txt").write_bytes(
        server.url("good/1.jpg").encode() + b"\n" + server.url("good/\xff.jpg").encode("latin-1")
    )
    config = CONFIG.model_copy(update={"prepare": QUICK})
    links = LinkOptions(allow_private=True)
    done = made(tmp_path / "links.txt", tmp_path / "to", config=config, links=links)
    assert (done.kept, dict(done.dropped)) == (1, {"no-link": 1})
    assert dropped_rows(tmp_path / "to") == [(2, "no-link")]


def test_crawl_delay_spaces_requests(server, tmp_path):
    server.robots = "User-agent: *\nCrawl-delay: 0.3\n"
    links = [server.url(f"good/{number}.jpg") for number in range(3)]
    assert fetched(tmp_path, links).kept == 3
    times = sorted(server.times[f"/good/{number}.jpg"][0] for number in range(3))
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.25


# ----- failures and reruns ------------------------------------------------------------------------


def test_failures_are_tried_again_by_class_and_only_if_asked(server, tmp_path):
    links = [server.url(path) for path in ("dead/1.jpg", "gone/2.jpg", "good/3.jpg", "later/4.jpg")]
    done = fetched(tmp_path, links)
    assert dict(done.dropped) == {"busy": 1, "server-error": 1, "refused": 1}
    assert any("--retry-failed" in note for note in done.notes)
    before = dict(server.asked)
    assert fetched(tmp_path, links).kept == 1
    assert server.asked == before
    fetched(tmp_path, links, retry_failed=("busy",))
    assert server.asked["/later/4.jpg"] == before["/later/4.jpg"] + 1
    assert server.asked["/dead/1.jpg"] == before["/dead/1.jpg"]
    fetched(tmp_path, links, retry_failed=("all",))
    assert server.asked["/gone/2.jpg"] == before["/gone/2.jpg"] + 1
    assert server.asked["/good/3.jpg"] == 1


def test_an_unknown_class_of_failure_is_an_error():
    with pytest.raises(UsageError, match=r"give all, or one of .*timeout"):
        LinkOptions(retry_failed=("rust",))


def test_a_server_that_dies_and_comes_back_within_the_attempts_costs_nothing(server, tmp_path):
    links = [server.url(f"waits/{number}.jpg") for number in range(20)]

    def restart():
        time.sleep(0.15)
        server.stop()
        time.sleep(0.3)
        server.start()

    thread = threading.Thread(target=restart)
    thread.start()
    done = fetched(tmp_path, links, settings={"attempts": 8, "wait_seconds": 0.1})
    thread.join()
    assert (done.kept, dict(done.dropped)) == (20, {})


def test_a_server_that_is_dead_for_longer_is_left_for_a_rerun(server, tmp_path):
    links = [server.url(f"good/{number}.jpg") for number in range(4)]
    server.stop()
    assert dict(fetched(tmp_path, links).dropped) == {"connection": 4}
    server.start()
    assert fetched(tmp_path, links, retry_failed=("connection",)).kept == 4


def test_a_picture_that_was_removed_is_fetched_again(server, tmp_path):
    links = [server.url(f"good/{number}.jpg") for number in range(3)]
    fetched(tmp_path, links)
    next(iter((tmp_path / "to" / "images").rglob("*.jpg"))).unlink()
    assert fetched(tmp_path, links).made == 1
    assert sum(server.asked[f"/good/{number}.jpg"] for number in range(3)) == 4


def test_a_shared_picture_stays_when_one_of_its_rows_goes(server, tmp_path):
    links = [server.url(f"same/{number}.jpg") for number in range(2)]
    fetched(tmp_path, links)
    assert fetched(tmp_path, links[1:]).kept == 1
    assert len(pictures_in(tmp_path / "to")) == 1
    assert server.asked["/same/1.jpg"] == 1


def test_passwords_and_queries_are_in_no_message(server, tmp_path, cli):
    table = tmp_path / "links.csv"
    good = f"http://me:sesame@127.0.0.1:{server.port}/secret/1.jpg?key=hidden"
    bad = f"http://me:sesame@127.0.0.1:{server.port}/gone/1.jpg?key=hidden"
    table.write_text(f"url\n{good}\n{bad}\nftp://me:sesame@host/x?key=hidden\n")
    answer = cli("prepare", table, "--to", tmp_path / "to", "--url", "url", "--allow-private")
    assert answer.code == 0
    dropped = (tmp_path / "to" / "dropped.csv").read_text()
    for text in (answer.out, answer.err, dropped):
        assert "sesame" not in text
        assert "hidden" not in text
    assert kept_rows(tmp_path / "to")[0]["url"] == good  # the table itself travels


@pytest.mark.parametrize(
    "link", ["ftp://h/a", "file:///etc/passwd", "nonsense", "http://", "//h/a"]
)
def test_what_is_no_http_link_is_dropped(link, tmp_path):
    assert dict(fetched(tmp_path, [link]).dropped) == {"no-link": 1}


@pytest.mark.parametrize(
    "link",
    ["http://[::1", "http://a b/c", "http://x:99999999/a", "http://..", "http://xn--a.invalid/x"],
)
def test_a_broken_link_is_dropped_and_not_a_crash(link, tmp_path):
    done = fetched(tmp_path, [link])
    assert set(done.dropped) <= {"no-link", "unknown-host", "connection", "private-address"}
    assert sum(done.dropped.values()) == 1


def test_a_bug_in_a_fetch_is_raised_and_does_not_hang(server, tmp_path, monkeypatch):
    async def broken(*_):
        raise KeyError("bug")

    monkeypatch.setattr(fetch.Fetcher, "fetch", broken)
    with pytest.raises(KeyError):
        fetched(tmp_path, [server.url("good/1.jpg")])


def test_a_disk_that_is_full_while_a_link_is_read_ends_the_run(server, tmp_path, monkeypatch):
    real = open

    def full(file, mode="r", **options):
        if str(file).endswith(".part"):
            raise OSError(28, "No space left on device")
        return real(file, mode, **options)

    monkeypatch.setattr(fetch, "open", full, raising=False)
    with pytest.raises(OutputError, match="No space left"):
        fetched(tmp_path, [server.url("good/1.jpg")])
    monkeypatch.undo()
    assert fetched(tmp_path, [server.url("good/1.jpg")]).kept == 1


def test_links_in_a_column_keep_all_columns(server, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(f"key,link,caption\n7,{server.url('good/1.jpg')},a dog\n")
    made(
        table, tmp_path / "to", url_column="link", links=LinkOptions(allow_private=True),
        size=(32, 32),
    )  # fmt: skip
    (row,) = kept_rows(tmp_path / "to")
    assert (row["key"], row["caption"]) == ("7", "a dog")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(["noai"], True), (["NoImageAI, nofollow"], True), (["nofollow"], False),
     (["googlebot: noai"], False), (["googlebot: noai", "noindex"], True),
     (["unavailable_after: 2030, noml"], True), (["imgbatch: noindex"], True),
     (["otherbot: nofollow, noindex"], False), (["none"], True), ([], False)],
)  # fmt: skip
def test_headers_that_opt_out(value, wanted):
    from imgbatch.intake.hosts import opts_out

    assert bool(opts_out(value)) is wanted
    assert opts_out([], ["1"])
    assert not opts_out([], ["0"])


def test_hosts_that_nobody_uses_are_forgotten(monkeypatch):
    from imgbatch.intake import hosts

    monkeypatch.setattr(hosts, "_MOST_HOSTS", 10)
    known = hosts.Hosts(2)
    with known.using("http://first") as first:
        for number in range(50):
            with known.using(f"http://{number}"):
                pass
        with known.using("http://first") as again:
            assert again is first
    for number in range(50):
        with known.using(f"http://{number}"):
            pass
    assert len(vars(known)["_hosts"]) == 10


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("after_files", [0, 1, 20])
def test_a_kill_between_links_loses_and_doubles_nothing(after_files, server, start, cli, tmp_path):
    table, to = tmp_path / "links.txt", tmp_path / "to"
    table.write_text("".join(f"{server.url(f'waits/{number}.jpg')}\n" for number in range(60)))
    arguments = ("prepare", table, "--to", to, "--allow-private", "--size", "64x64")
    process = start(*arguments)
    while len(list((to / "images").rglob("*.jpg"))) < after_files:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = cli(*arguments, "--json").json
    assert (done["kept"], done["dropped"], len(pictures_in(to))) == (60, {}, 60)
    assert sorted(path.name for path in (to / ".imgbatch").iterdir()) == ["prepare.sqlite"]
    asked = [count for path, count in server.asked.items() if path != "/robots.txt"]
    assert sum(asked) < 60 + 20 + after_files  # what was noted is not fetched again
