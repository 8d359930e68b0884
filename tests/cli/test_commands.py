"""The command line: it does what the README says, and bad input is told in words."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.cli.tables import attempts_table, events_table, fit_sentences
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.run_views import AttemptView, RunEventView
from tauscope.contracts.wording import onset_words

TINY = ["--set", "n_train=[8]", "--set", "steps=20", "--set", "n_generated=32", "--set", "measurement.loss_pairs=32"]
TINY += ["--set", "measurement.schedule={kind: explicit, at: [10, 20]}", "--set", "width=8"]


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_run_prints_one_json_object_and_leaves_a_folder_that_verifies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text = invoke("run", "digits-ci", "--json", "--out", str(out), *TINY)
    assert code == 0
    summary = json.loads(text)
    assert [run["params"] for run in summary["runs"]] == [{"n_train": 8}]
    assert summary == json.loads((out / "summary.json").read_text())
    code, text = invoke("verify", str(out))
    assert code == 0
    assert "agrees" in text


def test_run_reads_a_yaml_file(tmp_path: Path) -> None:
    code, text = invoke("presets", "--yaml", "digits-ci")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("name: digits-ci", "name: mine"))
    code, text = invoke("run", str(file), "--json", "--out", str(tmp_path / "out"), *TINY)
    assert code == 0
    assert json.loads(text)["experiment"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "digits"], "Choose from"),
        (["run", "nowhere.yaml"], "no such file"),
        (["run", "digits-ci", "--set", "steps"], "path=value"),
        (["run", "digits-ci", "--set", "stepz=3"], "Known here"),
        (["run", "digits-ci", "--set", "n_train=[5000]", "--set", "steps=10"], "5000"),
        (["run", "celeba-paper"], "dataset.path"),
        (["run", "digits-ci", "--device", "cuda:7"], "Set device to"),
        (["list", "--url", "http://127.0.0.1:9"], "tauscope up"),
    ],
)
def test_bad_input_is_told_in_words_with_the_remedy(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught, report_errors():
        app(arguments, standalone_mode=False)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err.replace("\n", " ")


def test_celeba_without_its_folder_and_a_gpu_says_both() -> None:
    with pytest.raises(ValueError, match="CelebA") as caught:
        invoke("run", "celeba-paper")
    assert "base.device" in str(caught.value)


def test_presets_and_datasets_are_listed() -> None:
    assert "digits-demo" in invoke("presets")[1]
    assert "celeba" in invoke("datasets")[1]


def test_doctor_names_every_part() -> None:
    code, text = invoke("doctor", "--json", "--url", "http://127.0.0.1:9")
    assert code == 0
    checks = {check["part"]: check for check in json.loads(text)}
    assert {"Python", "PyTorch", "device", "broker", "database", "service", "disk", "chromium"} <= set(checks)
    assert not checks["service"]["ok"]
    assert "tauscope up" in checks["service"]["remedy"]


def test_doctor_says_when_no_database_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_DATABASE_URL", "postgresql://user@127.0.0.1:9/none")
    code, text = invoke("doctor", "--json", "--url", "http://127.0.0.1:9")
    database = next(check for check in json.loads(text) if check["part"] == "database")
    assert code == 0
    assert not database["ok"]
    assert "TAUSCOPE_DATABASE_URL" in database["remedy"]


def test_an_onset_that_was_not_reached_is_written_in_words() -> None:
    censored = Onset(value=None, low=450, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25, reason="not by 450")
    assert onset_words(censored) == "not by 450"
    reached = Onset(value=233.4, low=172, high=326, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)
    assert onset_words(reached) == "233 (172 to 326)"


def test_an_exponent_is_never_told_without_its_interval_and_what_that_leaves_out() -> None:
    fit = PowerLawFit(exponent=1.29, low=0.94, high=1.64, points=3, note="one seed per n")
    (sentence,) = fit_sentences({"tau_mem_vs_n": fit})
    assert "1.29" in sentence
    assert "0.94 to 1.64" in sentence
    assert "one seed per n" in sentence


def test_attempts_and_events_are_tables_with_the_reason_and_without_the_traceback() -> None:
    attempt = AttemptView(
        epoch=2,
        worker="host-1",
        code_version="b",
        resumed_version="a",
        started_at=0.0,
        ended_at=12.0,
        from_step=10,
        to_step=30,
        rewound=7,
        outcome="in trouble",
    )
    event = RunEventView(id=1, seq=3, at=0.0, name="released", detail="disk full [1]\nTraceback")
    console = Console(width=160, record=True, file=StringIO())
    console.print(attempts_table([attempt]), events_table([event]))
    text = console.export_text()
    for words in ("host-1", "10 to 30", "in trouble", "b after a", "12 s", "disk full [1]"):
        assert words in text
    assert "Traceback" not in text
