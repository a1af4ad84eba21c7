"""The readers of the environment: what is understood, and how loudly the rest is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from feedback import env


@pytest.mark.parametrize(("environ", "value"), [({}, "Outcry"), ({"X": ""}, "Outcry"), ({"X": " Help "}, "Help")])
def test_a_text_is_the_variable_or_the_default(environ: dict[str, str], value: str) -> None:
    assert env.text("X", "Outcry", environ=environ) == value


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_words_of_consent_switch_on(word: str) -> None:
    assert env.flag("X", False, environ={"X": word}) is True


@pytest.mark.parametrize("word", ["0", "False", "no", " OFF ", ""])
def test_words_of_refusal_and_emptiness_switch_off(word: str) -> None:
    assert env.flag("X", True, environ={"X": word}) is False


@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_not_set_is_the_default(default: bool) -> None:
    assert env.flag("X", default, environ={}) is default


def test_a_flag_of_any_other_word_stops_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DEBUG='maybe' is neither yes nor no\. Write DEBUG=1 or DEBUG=0"):
        env.flag("DEBUG", False, environ={"DEBUG": "maybe"})


@pytest.mark.parametrize(("environ", "value"), [({}, 10), ({"X": " "}, 10), ({"X": "2"}, 2), ({"X": "200"}, 200)])
def test_a_number_is_the_variable_or_the_default(environ: dict[str, str], value: int) -> None:
    assert env.integer("X", 10, least=2, most=200, environ=environ) == value


@pytest.mark.parametrize("raw", ["ten", "1.5", "0x10", "²"])
def test_what_is_no_whole_number_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"X='{raw}' is no whole number. Write one from 2 to 200"):
        env.integer("X", 10, least=2, most=200, environ={"X": raw})


@pytest.mark.parametrize("raw", ["1", "201", "-5"])
def test_a_number_out_of_range_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"X={raw} is out of range. Write a whole number from 2 to 200"):
        env.integer("X", 10, least=2, most=200, environ={"X": raw})


@pytest.mark.parametrize(("environ", "value"), [({}, 1.0), ({"X": " "}, 1.0), ({"X": "0.25"}, 0.25), ({"X": "3"}, 3)])
def test_a_fraction_is_the_variable_or_the_default(environ: dict[str, str], value: float) -> None:
    assert env.number("X", 1.0, least=0.01, most=30, environ=environ) == value


@pytest.mark.parametrize("raw", ["one", "1,5", "1/2"])
def test_what_is_no_number_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"X='{raw}' is no number. Write one from 0.01 to 30"):
        env.number("X", 1.0, least=0.01, most=30, environ={"X": raw})


@pytest.mark.parametrize("raw", ["0", "-1", "31", "nan", "inf"])
def test_a_fraction_out_of_range_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"X={raw} is out of range. Write a number from 0.01 to 30"):
        env.number("X", 1.0, least=0.01, most=30, environ={"X": raw})


@pytest.mark.parametrize(
    ("environ", "value"), [({}, ["a", "b"]), ({"X": " , "}, ["a", "b"]), ({"X": " c, d ,,e"}, ["c", "d", "e"])]
)
def test_a_list_is_separated_by_commas(environ: dict[str, str], value: list[str]) -> None:
    assert env.words("X", ("a", "b"), environ=environ) == value


def test_a_choice_is_one_of_the_allowed() -> None:
    assert env.choice("X", "auto", ("auto", "static"), environ={"X": "static"}) == "static"


def test_a_choice_of_anything_else_stops_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="X='magic' is not known"):
        env.choice("X", "auto", ("auto", "static"), environ={"X": "magic"})


# -- Addresses --------------------------------------------------------------------------------------------------------


def test_a_database_address_is_taken_apart() -> None:
    assert env.database("postgres://ada:p%40ss%2Fw@db.example:6432/out%20cry?sslmode=require") == {
        "NAME": "out cry",
        "USER": "ada",
        "PASSWORD": "p@ss/w",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize("url", ["postgresql:///outcry?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/outcry"])
def test_a_database_can_be_reached_by_a_socket(url: str) -> None:
    found = env.database(url)

    assert (found["NAME"], found["HOST"], found["PORT"], found["OPTIONS"]) == ("outcry", "/run/postgresql", "", {})


def test_a_port_may_stand_among_the_options() -> None:
    found = env.database("postgresql:///outcry?host=/run/postgresql&port=5433")

    assert (found["PORT"], found["OPTIONS"]) == ("5433", {})


@pytest.mark.parametrize("url", ["mysql://u:secret@h/x", "sqlite:///x.db", "/var/db", "db:5432/outcry"])
def test_another_database_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL starts with .*Outcry runs on PostgreSQL") as stopped:
        env.database(url)

    assert "secret" not in str(stopped.value)


@pytest.mark.parametrize("url", ["postgres://u:secret@h:5432", "postgres://u:secret@h/"])
def test_an_address_without_a_database_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="names no database"):
        env.database(url)


@pytest.mark.parametrize(
    "url", ["postgres://u:secret@h:port/x", "postgres://u:p@h:99999/x", "postgres://[::1/x", "postgres://u:sec/ret@h/x"]
)
def test_what_is_no_address_stops_the_start_and_keeps_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is no address") as stopped:
        env.database(url)

    assert "sec" not in str(stopped.value).replace("password", "")


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("rediss://cache:6380/1", "rediss://cache:6380/1"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
    ],
)
def test_a_broker_is_spelled_as_celery_wants_it(url: str, broker: str) -> None:
    assert env.celery_broker(url) == broker


@pytest.mark.parametrize("url", ["amqp://u:secret@rabbit", "cache:6379", ""])
def test_another_broker_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL starts with") as stopped:
        env.celery_broker(url)

    assert "secret" not in str(stopped.value)


def test_a_time_zone_is_one_that_is_known() -> None:
    assert env.time_zone("X", "Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ImproperlyConfigured, match="X='Mars' is no time zone"):
        env.time_zone("X", "Mars")


@pytest.mark.parametrize(
    "given", [["*"], ["https://shop.example"], ["http://localhost:8080", "https://[::1]:8443"], []]
)
def test_sites_are_named_as_browsers_name_them(given: list[str]) -> None:
    assert env.origins("X", given) == given


def test_sites_are_compared_in_small_letters() -> None:
    assert env.origins("X", ["HTTPS://Shop.Example"]) == ["https://shop.example"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["shop.example"], r"WIDGET_ORIGINS holds 'shop\.example', which is no site\. Write one such as https://"),
        (["https://shop.example/"], "which is no site"),
        (["*", "https://shop.example"], r"WIDGET_ORIGINS holds \* and sites\. Write \* alone"),
    ],
)
def test_what_is_no_site_stops_the_start(given: list[str], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        env.origins("WIDGET_ORIGINS", given)


def test_a_mailbox_is_taken_apart() -> None:
    assert env.mailbox("imaps://re%40ports:p%2Fw@mail.example.org/Problems/New") == {
        "host": "mail.example.org", "port": 993, "user": "re@ports", "password": "p/w", "folder": "Problems/New",
        "is_tls": True,
    }  # fmt: skip
    assert env.mailbox("imap://a:b@localhost:1143")["folder"] == "INBOX"
    assert env.mailbox("imap://a:b@localhost")["port"] == 143
    assert env.mailbox("") == {}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("pop3://a:hunter2@host/INBOX", r"MAILBOX_URL starts with pop3://\. Write imaps://"),
        ("mail.example.org", "starts with no scheme"),
        ("imaps://:hunter2@host", "names no user"),
        ("imaps://a@host", "names no password"),
        ("imaps://a:hunter2@", "names no host"),
        ("imaps://a:hunter2@host:port/INBOX", "its host or port can't be read"),
        ("imaps://a:hun/ter2@host", "its host or port can't be read"),
        ("imaps://a:hunter2@host/INBOX?ssl=0", "something after"),
        ("imaps://a:hunter2@host/M%C3%BCll", "is not in ASCII"),
        ("imaps://a:hunter2%0A@host/", "password holds a control character"),
    ],
)
def test_a_mailbox_that_can_not_be_meant_stops_the_start_without_the_password(url: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message) as refused:
        env.mailbox(url)

    assert "hunter2" not in str(refused.value)
