"""Mounts: the parts of this machine that a container sees."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.runs.containers.mounts import aws_access, read_only


def test_files_are_seen_with_their_indexes_and_nothing_beside_them(tmp_path: Path) -> None:
    for name in ("ref.fa", "ref.fa.fai", "ref.dict", "a[1].bam", "a[1].bam.bai", "a1.bam.bai", "other"):
        (tmp_path / name).touch()
    run = tmp_path / "run"
    run.mkdir()
    (run / "own").touch()
    value = [
        f"file://{tmp_path}/ref.fa",
        [{"files": {"x": [str(tmp_path / "a[1].bam"), str(run / "own")]}, "none": None}],
        {"panel": str(tmp_path / "none"), "folder": str(tmp_path), "name": "other"},
    ]
    expected = ["a[1].bam", "a[1].bam.bai", "ref.dict", "ref.fa", "ref.fa.fai"]
    assert list(map(str, read_only(value, run))) == [
        f"type=bind,source={tmp_path / name},target={tmp_path / name},readonly" for name in expected
    ]


def test_a_link_is_seen_as_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "stored").touch()
    (tmp_path / "a.fq").symlink_to("stored")
    link = tmp_path / "a.fq"
    assert list(map(str, read_only([str(link)], tmp_path / "run"))) == [
        f"type=bind,source={tmp_path / 'stored'},target={link},readonly"
    ]


def test_a_container_has_its_users_rights_on_aws_and_no_list_shows_them(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / "ca.pem").touch()
    environment = {"AWS_SECRET_ACCESS_KEY": "secret", "AWS_CA_BUNDLE": str(tmp_path / "ca.pem"), "PATH": "/bin"}
    names, mounts = aws_access(environment, tmp_path, Path("/there"))
    assert names == ["AWS_SECRET_ACCESS_KEY", "AWS_CA_BUNDLE"]
    assert list(map(str, mounts)) == [
        f"type=bind,source={tmp_path}/ca.pem,target={tmp_path}/ca.pem,readonly",
        f"type=bind,source={tmp_path}/.aws,target=/there/.aws,readonly",
    ]
