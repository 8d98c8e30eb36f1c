"""The parts of the board that need no gateway: links of a search, charts, foreign text, kept values."""

import threading

import pytest
from flask import Flask
from markupsafe import Markup

from renderline.explanation import explain
from renderline.gateway.board import charts, formats, search_links
from renderline.gateway.board.feed import MOST, Batch
from renderline.gateway.board.kept import Kept
from renderline.gateway.board.listing import View
from renderline.gateway.board.offers import offers, with_buttons
from renderline.gateway.board.overview import charts_of
from renderline.ledger import Minute
from renderline.ledger.condition import AccountCondition, Condition
from renderline.ledger.record import public_record
from renderline.search import parse_search


@pytest.mark.parametrize(
    ("text", "field", "value", "expected"),
    [
        ("", "state", "failed", "state:failed"),
        ("welcome", "state", "failed", "welcome state:failed"),
        ("state:failed welcome", "state", "failed", "welcome"),
        ("STATE:Failed", "state", "failed", ""),
        ("state:failed", "state", "expired", "state:expired"),
        ('name:"Customer 317" account:main', "account", "other", 'name:"Customer 317" account:other'),
        ('"state:failed" x', "state", "failed", "x"),
        ('"a b" state:"expired"', "state", "failed", '"a b" state:failed'),
        ("", "account", "my account", 'account:"my account"'),
        ('account:"my account"', "account", "my account", ""),
    ],
)
def test_a_filter_is_added_replaced_or_taken_out(text, field, value, expected):
    found = search_links.toggled(text, field, value)
    assert found == expected
    parse_search(found, now=0.0)


@pytest.mark.parametrize("value", ['a"b', '"', "a b", "a\\b", "a'b"])
def test_a_pair_of_any_value_can_be_read(value):
    assert parse_search(search_links.pair("account", value), now=0.0).account == value.replace('"', " ")


def test_foreign_text_loses_what_changes_a_page_and_nothing_else():
    assert formats.shown("a\x1b[31m\u202eb\ud800\x00\u2028") == "a\ufffd[31m\ufffdb\ufffd\ufffd\ufffd"
    plain = "Grüße <b>&'\" 日本 🎬\n"
    assert formats.shown(plain) == plain
    markup = Markup("<b>\u202e</b>")
    assert formats.shown(markup) is markup
    assert formats.shown(5) == 5


def test_a_long_text_is_cut():
    assert formats.short("x" * 200, 10) == "x" * 9 + "…"
    assert len(formats.short("e" + "\u0301" * 100_000, 10)) == 10


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (-1, "0 s"), (59, "59 s"), (3599, "59 min"), (90_000, "1 d")]
)
def test_a_duration_is_short(seconds, text):
    assert formats.duration(seconds) == text


def test_a_chart_has_bars_that_stand_on_each_other_below_its_line():
    found = charts.chart("t", "now", "text", [("bad", [1, 0]), ("good", [3, 2])], [4, 8])
    assert [(bar.kind, bar.x, bar.y, bar.height) for bar in found.bars] == [
        ("bad", 0, 35.0, 5.0),
        ("good", 0, 20.0, 15.0),
        ("good", 4, 30.0, 10.0),
    ]
    assert found.line == "2,20.0 6,0.0"
    assert charts.chart("t", "", "", [("good", [0, 0])]).bars == []


def test_the_charts_say_in_words_what_they_show():
    minutes = [Minute(60.0 * one, 10, 8, 7, 1, 2.5, 0.25 if one else None) for one in range(60)]
    throughput, lag, spend = charts_of(minutes)
    assert throughput.now == "40 videos in 5 min"
    assert throughput.text == "In the last hour 600 renders were accepted, 480 completed, 60 failed."
    assert lag.now == "250 ms"
    assert spend.now == "150 credits in 1 h"
    assert [one.now for one in charts_of([])] == ["0 videos in 5 min", "none yet", "0 credits in 1 h"]


def test_a_batch_has_for_each_tenant_its_own_changes_and_no_others():
    batch = Batch(1, (("a", "failed", 1.0, "acme"), ("b", "rendering", 2.0, "globex")))
    assert batch.text("acme") == '[["a","failed",1.0]]'
    assert batch.text(None) == '[["a","failed",1.0],["b","rendering",2.0]]'
    assert batch.text("default") == ""
    many = Batch(2, tuple((str(one), "failed", 0.0, "acme") for one in range(MOST + 1)))
    assert many.text("acme") == "null"
    assert many.text("globex") == ""


def test_a_value_is_made_once_for_callers_of_one_moment_and_forgotten_later():
    now, made = [0.0], []
    kept = Kept(1.0, clock=lambda: now[0])

    def make():
        made.append(1)
        return len(made)

    threads = [threading.Thread(target=kept.get, args=("a", make)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (kept.get("a", make), len(made)) == (1, 1)
    assert kept.get("b", make) == 2
    now[0] = 1.0
    assert kept.get("a", make) == 3
    kept.get("c", make)
    assert {*kept._places} == {"a", "c"}


def test_a_value_that_cannot_be_made_is_tried_again():
    kept = Kept(1.0)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 / 0)
    assert not kept._places
    assert kept.get("a", lambda: 5) == 5


@pytest.mark.parametrize(
    ("size", "rows"),
    [("500", 500), ("50", 50), ("", 50), ("000000050999999", 50), ("5" + "0" * 5000, 50), ("\u0665\u0660\u0660", 50)],
)
def test_a_page_has_no_more_rows_than_the_board_offers(size, rows):
    with Flask("test").test_request_context("/", query_string={"size": size}):
        assert View.asked().size == rows


@pytest.mark.parametrize(
    ("state", "fields", "paused", "expected"),
    [
        ("failed", {}, False, "“Retry” starts a new attempt"),
        ("unconfirmed", {"stage": "export"}, False, "then “Adopt a project” if it was started, “Resubmit” if it was"),
        ("undelivered", {"h0": "dead"}, False, "then “Replay hook 0”, or “Discard hook 0”."),
        ("accepted", {}, True, "“Resume” on the account's page."),
    ],
)
def test_the_page_of_a_render_says_what_to_do_with_its_own_buttons(state, fields, paused, expected):
    known = {"kind": "project", "account": "main", "priority": "normal", "state": state, f"t:{state}": "0", **fields}
    record = public_record("5e" * 16, known, {"hooks": [{"type": "http", "url": "https://example.com/done"}]})
    action = explain(record, Condition(account=AccountCondition(paused=paused)), now=9.0).action
    assert "renderline " in action
    offered = offers(record, dead={0} if "h0" in fields else set(), may=lambda scope: True)
    said = with_buttons(action, record, offered, resumes=True)
    assert expected in said
    assert "renderline " not in said
    # Who may press nothing gets the commands.
    assert with_buttons(action, record, offers(record, dead=set(), may=lambda scope: False), resumes=False) == action
