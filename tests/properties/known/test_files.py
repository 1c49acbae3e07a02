"""Files of known findings: read, applied where they say, extended, and refused in a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from radixproof.impl.sglang.fetching import TREE
from radixproof.impl.sglang.releases import NEWEST
from radixproof.properties.histories import corpus
from radixproof.properties.known.entry import Entry, KnownError
from radixproof.properties.known.files import (
    BUILTIN,
    Accepted,
    Known,
    accept,
    load_all,
    load_known,
    look_whether_it_accepts,
)

TODAY = date(2026, 11, 27)

FILE = """
[[finding]]
signature = "LOCK/swa-too-few"
reason = "the release of a lock takes the count of another"
systems = ["sglang"]
releases = ">=0.5.13,<0.5.20"
upstream = 36848

[[finding]]
signature = "PIN/full-replaced"
reason = "it is being mended"
until = 2026-11-27

[[finding]]
signature = "LEAF/device-leaves"
reason = "only here"
systems = ["mine:target", "fault:ack-keeps-lock"]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a text to a file."""

    def write(text: str) -> Path:
        path = tmp_path / "known.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("system", "signatures"),
    [
        ("sglang==0.5.19", {"LOCK/swa-too-few", "PIN/full-replaced"}),
        ("sglang==0.5.13.post1", {"LOCK/swa-too-few", "PIN/full-replaced"}),
        ("sglang==0.5.12.post1", {"PIN/full-replaced"}),
        ("sglang==0.5.20", {"PIN/full-replaced"}),
        ("radix", {"PIN/full-replaced"}),
        ("mine:target", {"PIN/full-replaced", "LEAF/device-leaves"}),
        ("mine:other", {"PIN/full-replaced"}),
        ("fault:ack-keeps-lock", {"PIN/full-replaced", "LEAF/device-leaves"}),
    ],
)
def test_a_finding_is_known_where_its_entry_says(
    system: str, signatures: set[str], written: Callable[[str], Path]
) -> None:
    assert load_known(written(FILE)).for_system(system, TODAY).keys() == signatures


def test_the_last_day_counts_and_the_next_does_not(written: Callable[[str], Path]) -> None:
    known, tomorrow = load_known(written(FILE)), date(2026, 11, 28)
    assert "PIN/full-replaced" in known.for_system("radix", TODAY)
    assert known.run_out("radix", TODAY) == {}
    assert known.for_system("radix", tomorrow) == {}
    assert known.run_out("radix", tomorrow).keys() == {"PIN/full-replaced"}


def test_the_release_of_sglang_as_it_is_installed_counts(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_known(written(FILE))
    assert "LOCK/swa-too-few" not in known.for_system("sglang", TODAY), "no release is known"
    monkeypatch.setattr("radixproof.impl.sglang.store.installed_version", lambda: "0.5.19")
    assert "LOCK/swa-too-few" in known.for_system("sglang", TODAY)


def test_what_does_not_count_for_want_of_a_release_is_counted(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_known(written(FILE))
    monkeypatch.setattr("radixproof.impl.sglang.store.installed_version", lambda: None)
    assert known.undecided("sglang") == 1
    assert known.undecided("sglang==0.5.22") == 0
    assert known.undecided("radix") == 0
    assert load_known(written(table())).undecided("sglang") == 0


def test_what_an_entry_says_can_be_read(written: Callable[[str], Path]) -> None:
    path = written(FILE)
    (lock,) = load_known(path).for_system("sglang==0.5.19", TODAY)["LOCK/swa-too-few"]
    assert lock == Entry(
        "LOCK/swa-too-few",
        "the release of a lock takes the count of another",
        (),
        ("sglang",),
        ">=0.5.13,<0.5.20",
        "#36848",
        None,
        str(path),
    )


def test_several_files_and_several_entries_for_one_signature_add_up(
    written: Callable[[str], Path],
) -> None:
    path = written(FILE)
    both = load_all([path, path])
    assert len(both.for_system("radix", TODAY)["PIN/full-replaced"]) == 2
    assert load_all([]).for_system("radix", TODAY) == {}


def test_an_empty_file_knows_nothing(written: Callable[[str], Path]) -> None:
    assert load_known(written("# nothing yet\n")).entries == ()


# -- mistakes ------------------------------------------------------------------------------------

GOOD = {"signature": '"PIN/full-replaced"', "reason": '"it is so"'}


def table(**changes: str | None) -> str:
    lines = {**GOOD, **changes}
    return "[[finding]]\n" + "\n".join(
        f"{name} = {value}" for name, value in lines.items() if value is not None
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[finding]\n", "not TOML: "),
        ("x = " + "[" * 100_000, "not TOML: "),
        (f"x = {'1' * 5_001}", "not TOML: "),
        ("findings = []", "unknown name 'findings'; write a table [[finding]] for each finding"),
        ("finding = 3", "finding must be tables, each written [[finding]]"),
        ("finding = [3]", "finding must be tables, each written [[finding]]"),
        (table(reason=None), "finding 1 (PIN/full-replaced): it lacks 'reason'"),
        (table(signature=None), "finding 1: it lacks 'signature'"),
        (table(reason='"  "'), "reason must be a text that says something, not '  '"),
        (table(reason="3"), "reason must be a text that says something, not 3"),
        (
            table(signature='"full-replaced"'),
            "signature must be as in PIN/full-replaced, not 'full",
        ),
        (table(signature='"PIN/"'), "signature must be as in PIN/full-replaced, not 'PIN/'"),
        (table(signature='"PINS/x"'), "no property is called 'PINS' (there are: OWN, OWN-H, MAP"),
        (table(signature="1"), "signature must be as in PIN/full-replaced, not 1"),
        (table(system='"radix"'), "unknown field 'system' (there are: signature, reason, also"),
        (
            table(systems='"radix"'),
            'systems must be a list of names, as in ["sglang"], not \'radix',
        ),
        (table(also="[]"), "also must be a list of signatures, not []"),
        (table(also='["x"]'), "one of also must be as in PIN/full-replaced, not 'x'"),
        (table(systems="[]"), "systems must be a list of names"),
        (table(systems="[1]"), "a name in systems must be a text that says something, not 1"),
        (table(releases='"0.5.13"'), 'releases must be a range of versions, as in ">=0.5.13'),
        (table(releases='","'), "releases must say which, as in <0.5.23, not ','"),
        (table(releases="0.5"), "releases must be a text that says something, not 0.5"),
        (table(upstream="0"), "upstream must be a number or an address (https://...), not 0"),
        (table(upstream="true"), "upstream must be a number or an address (https://...), not True"),
        (table(upstream='"#25065"'), "upstream must be a number or an address"),
        (table(until='"2027-01-31"'), "until must be a date without quotes, as in 2027-01-31, not"),
        (table(until="2027-01-31T00:00:00"), "until must be a date without quotes"),
        (table(until=f"0x{'f' * 9_000}"), "until must be a date without quotes"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, said: str, written: Callable[[str], Path]
) -> None:
    path = written(text)
    with pytest.raises(KnownError) as error:
        load_known(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)
    assert len(str(error.value)) < 400 + len(str(path))


def test_the_second_of_two_entries_is_named_as_such(written: Callable[[str], Path]) -> None:
    with pytest.raises(KnownError, match=r"known\.toml, finding 2 \(PIN/full-replaced\): it lacks"):
        load_known(written(f"{table()}\n{table(reason=None)}"))


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KnownError, match=r"cannot read .*missing\.toml: No such file"):
        load_known(tmp_path / "missing.toml")
    with pytest.raises(KnownError, match=r"cannot read .*: it is a folder, not a file"):
        load_known(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KnownError, match=r"cannot read .*binary\.toml: not a text file"):
        load_known(tmp_path / "binary.toml")
    monkeypatch.setattr("radixproof.properties.known.files.LARGEST", 2**20)
    (tmp_path / "large.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(KnownError, match=r"large\.toml: it has 1,048,577 bytes, and 1,048,576 are"):
        load_known(tmp_path / "large.toml")


def test_packaging_is_needed_for_releases_only(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "packaging.specifiers", None)
    assert load_known(written(table())).entries
    with pytest.raises(KnownError, match="pip install packaging"):
        load_known(written(table(releases='"<1"')))


# -- accepting -------------------------------------------------------------------------------------


def test_what_was_found_is_accepted_into_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    found = [
        Accepted("radix", "OWN/full-lost"),
        Accepted("mine:a", "PIN/x"),
        Accepted("mine:b", "OWN/full-lost"),
        Accepted("mine:b", "PIN/x", "PIN/y"),
    ]
    assert accept(path, found, TODAY) == 3
    own, pin, shrunk = load_known(path).entries
    assert (own.signature, own.systems) == ("OWN/full-lost", ("radix", "mine:b"))
    assert (pin.signature, pin.systems) == ("PIN/x", ("mine:a",))
    assert (shrunk.signatures, shrunk.systems) == (("PIN/x", "PIN/y"), ("mine:b",))
    assert {*load_known(path).for_system("mine:b", TODAY)} == {"OWN/full-lost", "PIN/x", "PIN/y"}
    assert own.reason == pin.reason == "accepted on 2026-11-27"
    assert accept(tmp_path / "again.toml", found, TODAY) == 3
    assert path.read_text() == (tmp_path / "again.toml").read_text()


def test_a_file_is_extended_and_what_it_says_stays(written: Callable[[str], Path]) -> None:
    path = written(FILE + "# the last line")
    assert accept(path, [Accepted("radix", "OWN/full-lost")], TODAY) == 1
    assert path.read_text().startswith(FILE + "# the last line\n")
    assert [one.signature for one in load_known(path).entries][-1] == "OWN/full-lost"
    before = path.read_text()
    assert accept(path, [], TODAY) == 0
    assert path.read_text() == before


def test_odd_names_are_quoted(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    odd = 'NOCRASH/Error@"\\\x7f\n\u2028é\U0001f600'
    accept(path, [Accepted("sglang==0.5.19", odd)], TODAY)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["finding"][0]["signature"] == odd


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[finding]\n", "not TOML"),
        ("finding = []\n", "finding is a list in brackets"),
        ('finding = [{signature = "OWN/full-lost", reason = "x"}]\n', "a list in brackets"),
    ],
)
def test_a_file_that_cannot_be_extended_is_left_alone(
    text: str, why: str, written: Callable[[str], Path]
) -> None:
    path = written(text)
    with pytest.raises(KnownError, match=why):
        accept(path, [Accepted("radix", "OWN/full-lost")], TODAY)
    with pytest.raises(KnownError, match=why):
        look_whether_it_accepts(path)
    assert path.read_text() == text


def test_a_file_that_can_be_extended_is_left_alone_until_then(
    written: Callable[[str], Path], tmp_path: Path
) -> None:
    path = written(FILE)
    look_whether_it_accepts(path)
    assert path.read_text() == FILE
    look_whether_it_accepts(tmp_path / "new.toml")
    assert not (tmp_path / "new.toml").exists()


# -- our own list --------------------------------------------------------------------------------


def releases() -> list[str]:
    entries = corpus.read(corpus.FOLDER)
    return sorted({entry.system for entry in entries if entry.system.startswith("sglang==")})


@pytest.mark.parametrize("system", releases())
def test_what_is_known_of_a_release_is_what_was_found_in_it(system: str) -> None:
    """No less, and nothing that was mended before: the corpus has what is found in each."""
    found = {
        entry.history.origin["signature"]
        for entry in corpus.read(corpus.FOLDER)
        if entry.system == system
    }
    assert load_known(BUILTIN).for_system(system, TODAY).keys() == found


def test_our_own_list_is_about_sglang_alone() -> None:
    known = load_known(BUILTIN)
    assert len(known.entries) >= 17
    assert known.for_system("radix", TODAY) == {}
    assert known.for_system("sglang==0.5.30", TODAY) == {}
    assert all(entry.until is None for entry in known.entries)


def test_the_document_explains_every_entry() -> None:
    document = (corpus.FOLDER.parent / "docs" / "semantics.md").read_text(encoding="utf-8")
    section = document.partition("What the harness reports on released versions")[2]
    for entry in load_known(BUILTIN).entries:
        assert f"**{entry.signature}**" in section
        number = entry.upstream.rpartition("/")[2]
        assert number in section


def test_what_is_compared_with_a_release_is_not_what_names_the_system(
    written: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = a_checkout(tmp_path)
    both = load_known(written(FILE)) + load_known(
        written(
            f'[[finding]]\nsignature = "OWN/full-lost"\nreason = "ours"\nsystems = ["{ours}"]\n'
            '[[finding]]\nsignature = "LOCK/full-lost"\nreason = "all"\nsystems = ["sglang"]\n'
        )
    )
    passed_over = both.for_system(ours, TODAY)
    assert {"OWN/full-lost", "LOCK/full-lost"} <= passed_over.keys()
    monkeypatch.setattr("radixproof.impl.sglang.store.prepared", lambda: [NEWEST])
    reference, compared = both.to_compare(ours, TODAY)
    assert reference == f"sglang=={NEWEST}"
    assert set(compared) == {"PIN/full-replaced", "LOCK/full-lost"}
    assert Known().to_compare(ours, TODAY) == ("", ())
    assert both.to_compare(f"sglang=={NEWEST}", TODAY) == ("", ())
    monkeypatch.setattr("radixproof.impl.sglang.store.prepared", list)
    assert both.to_compare(ours, TODAY) == ("", ())


def a_checkout(folder: Path) -> str:
    """A source tree of SGLang that does not say which release it is."""
    file = folder / TREE
    file.parent.mkdir(parents=True)
    file.touch()
    return f"sglang@{folder}"


@pytest.mark.parametrize("prepared", [False, True])
def test_a_checkout_of_unknown_release_counts_as_the_one_that_it_is_compared_with(
    written: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    prepared: bool,
) -> None:
    system = f"{a_checkout(tmp_path)}+rust"
    there = [NEWEST] if prepared else []
    monkeypatch.setattr("radixproof.impl.sglang.store.prepared", lambda: there)
    known = load_known(
        written(
            '[[finding]]\nsignature = "OWN/full-lost"\nreason = "it is"\nreleases = ">=0.5.20"\n'
        )
    )
    assert known.undecided(system) == (0 if prepared else 1)
    assert list(known.for_system(system, TODAY)) == (["OWN/full-lost"] if prepared else [])
