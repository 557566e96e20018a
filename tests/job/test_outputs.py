"""The private folder of a job, and publication all or nothing."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.job.errors import JobError
from sctcalib.job.outputs import (
    Publication,
    Workspace,
    check_prefix,
    check_targets,
    is_output_error,
    output_errors,
)
from sctcalib.job.part import Output
from tests.support.processes import contents

OUTPUTS = [Output("mycool.db", "outputCOOL", "COOL")]


@pytest.fixture
def workspace(tmp_path):
    space = Workspace(tmp_path, "P")
    space.open()
    yield space
    space.close()


def visible(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if not name.startswith(".")}


def stage(workspace: Workspace, text: str) -> Path:
    path = workspace.staged("new")
    path.write_text(text)
    return path


def test_names_of_an_output(tmp_path):
    space = Workspace(tmp_path, "P")
    assert space.final("mycool.db") == tmp_path / "P.mycool.db"
    assert space.staged("mycool.db").parent == space.path
    assert space.path.parent == tmp_path
    assert space.path.name.startswith(".")
    assert Workspace(tmp_path, "").final("mycool.db") == tmp_path / "mycool.db"


def test_the_folder_goes_when_the_job_ends(tmp_path):
    with_files = Workspace(tmp_path, "P")
    with_files.open()
    (with_files.scratch("deep") / "file").write_text("x")
    with_files.close()
    assert contents(tmp_path) == {}
    with_files.close()


def test_a_second_job_of_the_prefix_is_refused_and_harmless(tmp_path, workspace):
    stage(workspace, "precious")
    second = Workspace(tmp_path, "P")
    with pytest.raises(JobError, match="another job") as caught:
        second.open()
    second.discard()
    second.close()
    assert caught.value.code == 11
    assert workspace.staged("new").read_text() == "precious"


def test_another_prefix_is_another_folder(tmp_path, workspace):
    second = Workspace(tmp_path, "Q")
    second.open()
    assert second.path != workspace.path
    second.close()
    assert workspace.path.is_dir()


def test_a_folder_whose_owner_died_is_cleaned_and_taken(tmp_path, caplog):
    path = Workspace(tmp_path, "P").path
    (path / "sub").mkdir(parents=True)
    (path / "sub" / "file").write_text("half")
    (path / "lock").write_text("process 1 on elsewhere")
    space = Workspace(tmp_path, "P")
    space.open()
    assert [p.name for p in path.iterdir()] == ["lock"]
    assert "1 temporary files of a killed job were removed" in caplog.text
    space.close()


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    run = tmp_path / "run"
    run.mkdir()
    space = Workspace(run, "P")
    space.path.symlink_to(precious)
    with pytest.raises(JobError, match="is a link") as caught:
        space.open()
    space.discard()
    space.close()
    assert caught.value.code == 11
    assert (precious / "file").read_text() == "x"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    space = Workspace(tmp_path, "P")
    space.path.write_text("x")
    with pytest.raises(JobError, match="cannot be written"):
        space.open()


def test_kept_files_get_the_next_free_number(tmp_path):
    for number in (1, 2):
        space = Workspace(tmp_path, "")
        space.keep = True
        space.open()
        stage(space, str(number))
        space.discard()
        space.close()
    assert visible(tmp_path) == {
        "kept-job.1": b"", "kept-job.1/new": b"1", "kept-job.2": b"", "kept-job.2/new": b"2"
    }  # fmt: skip


def test_published_files_replace_earlier_ones_whole(tmp_path, workspace):
    final = tmp_path / "f"
    final.write_text("old")
    reader = final.open()
    with Publication(workspace) as publication:
        publication.publish(stage(workspace, "new"), final)
    assert final.read_text() == "new"
    assert reader.read() == "old"
    reader.close()


def test_an_earlier_file_is_there_until_it_is_replaced(tmp_path, workspace):
    """Its second link, not a rename, is the safety copy: the name never goes missing."""
    final = tmp_path / "f"
    final.write_text("old")
    seen = []

    class Watching(Publication):
        def _back_up(self, path: Path) -> Path | None:
            backup = super()._back_up(path)
            seen.append(path.read_text())
            return backup

    with Watching(workspace) as publication:
        publication.publish(stage(workspace, "new"), final)
    assert seen == ["old"]


def test_failure_brings_everything_back(tmp_path, workspace):
    for name in ("replaced", "withdrawn", "set aside", "set aside.stale"):
        (tmp_path / name).write_text(f"old {name}")
    before = visible(tmp_path)
    with pytest.raises(RuntimeError), Publication(workspace) as publication:  # noqa: PT012
        publication.withdraw(tmp_path / "withdrawn")
        publication.publish(stage(workspace, "1"), tmp_path / "replaced")
        publication.publish(stage(workspace, "2"), tmp_path / "new")
        publication.publish(stage(workspace, "3"), tmp_path / "replaced")
        publication.set_aside(tmp_path / "set aside")
        raise RuntimeError
    assert visible(tmp_path) == before


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.dictionaries(st.sampled_from("abc"), st.text(max_size=2), max_size=3),
    st.lists(
        st.tuples(st.sampled_from(["publish", "withdraw", "set_aside"]), st.sampled_from("abc")),
        max_size=6,
    ),
)
def test_any_sequence_is_taken_back(tmp_path_factory, earlier, steps):
    folder = tmp_path_factory.mktemp("any")
    for name, text in earlier.items():
        (folder / name).write_text(text)
    before = contents(folder)
    space = Workspace(folder, "P")
    space.open()
    with pytest.raises(KeyboardInterrupt), Publication(space) as publication:  # noqa: PT012
        for step, name in steps:
            if step == "publish":
                publication.publish(stage(space, "new"), folder / name)
            elif step == "withdraw":
                publication.withdraw(folder / name)
            elif (folder / name).exists():
                publication.set_aside(folder / name)
        raise KeyboardInterrupt
    space.close()
    assert contents(folder) == before


def test_where_links_fail_a_copy_serves(tmp_path, workspace, monkeypatch):
    def no_links(*args: object, **more: object) -> None:
        raise OSError(errno.EPERM, "links are not known here")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "f").write_text("old")
    with pytest.raises(RuntimeError), Publication(workspace) as publication:  # noqa: PT012
        publication.publish(stage(workspace, "new"), tmp_path / "f")
        raise RuntimeError
    assert (tmp_path / "f").read_text() == "old"


def test_a_report_that_another_job_withdraws_meanwhile_is_no_failure(
    tmp_path, workspace, monkeypatch
):
    final = tmp_path / "jobReport.json"

    def vanish(source: Path, *args: object, **more: object) -> None:
        Path(source).unlink()
        raise FileNotFoundError(errno.ENOENT, "gone", str(source))

    for step in ("withdraw", "publish"):
        final.write_text("old")
        with monkeypatch.context() as patch, Publication(workspace) as publication:
            patch.setattr(os, "link", vanish)
            if step == "withdraw":
                publication.withdraw(final)
            else:
                publication.publish(stage(workspace, "new"), final)
        assert final.exists() == (step == "publish")


def test_a_link_is_replaced_not_written_through(tmp_path, workspace):
    (tmp_path / "target").write_text("old")
    (tmp_path / "f").symlink_to("target")
    with Publication(workspace) as publication:
        publication.publish(stage(workspace, "new"), tmp_path / "f")
    assert (tmp_path / "f").read_text() == "new"
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "target").read_text() == "old"


def test_a_publication_that_fails_says_which_file(tmp_path, workspace):
    (tmp_path / "taken").mkdir()
    with (  # noqa: PT012
        pytest.raises(JobError, match="taken: cannot be written") as caught,
        Publication(workspace) as publication,
    ):
        publication.publish(stage(workspace, "1"), tmp_path / "fine")
        publication.publish(stage(workspace, "2"), tmp_path / "taken")
    assert caught.value.code == 11
    assert not (tmp_path / "fine").exists()
    assert (tmp_path / "taken").is_dir()


def test_a_full_disk_while_writing_is_an_output_error():
    with (
        pytest.raises(JobError, match="x: cannot be written: No space") as caught,
        output_errors("x"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.code == 11
    assert is_output_error(OSError(errno.EDQUOT, ""))
    assert not is_output_error(OSError(errno.ENOENT, ""))


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("../x", "would leave the run directory"),
        ("/x", "would leave the run directory"),
        ("a/b", "would leave the run directory"),
        ("..", "would leave the run directory"),
        (".", "would leave the run directory"),
        ("a\tb", "control characters"),
        ("a\x00b", "control characters"),
        ("x" * 246, "file names of 256 bytes"),
        ("ü" * 123, "file names of 256 bytes"),
    ],
)
def test_prefixes_that_make_no_file_name(prefix, text):
    (problem,) = check_prefix(prefix, OUTPUTS, "job.json: prefix")
    assert problem.code == 7
    assert str(problem).startswith("job.json: prefix")
    assert text in str(problem)


@pytest.mark.parametrize("prefix", ["", "x", "...", "..x", "x..", "a b", "x" * 245, "\udcff", "-"])
def test_prefixes_that_do(prefix):
    assert list(check_prefix(prefix, OUTPUTS, "x")) == []


def test_a_prefix_beyond_the_coding_of_file_names(monkeypatch):
    def ascii_only(text: str) -> bytes:
        return text.encode("ascii")

    monkeypatch.setattr(os, "fsencode", ascii_only)
    (problem,) = check_prefix("ü", OUTPUTS, "x")
    assert "file names are in" in str(problem)


def test_targets_and_what_they_must_not_hit(tmp_path):
    (tmp_path / "input").write_text("x")
    os.link(tmp_path / "input", tmp_path / "hard")
    (tmp_path / "soft").symlink_to("input")
    (tmp_path / "up").symlink_to(".")
    protected = {tmp_path / "input": "input", tmp_path / "later": "settings file"}
    check_targets([tmp_path / "free"], protected)
    for name, what in (
        ("input", "input"),
        ("hard", "input"),
        ("soft", "input"),
        ("up/input", "input"),
        ("later", "settings file"),
    ):
        with pytest.raises(JobError, match=f"would overwrite the {what}") as caught:
            check_targets([tmp_path / name], protected)
        assert caught.value.code == 7


def test_names_too_long_for_a_file_are_refused_before_work(tmp_path):
    with pytest.raises(JobError, match="the name is too long"):
        check_targets([tmp_path / ("x" * 256)], {})
    check_targets([tmp_path / ("x" * 255)], {})


def test_closing_survives_a_folder_that_somebody_removed(tmp_path):
    space = Workspace(tmp_path, "P")
    space.open()
    shutil.rmtree(space.path)
    space.close()
    assert contents(tmp_path) == {}
