"""The mapped file: what is saved comes back, and what is damaged is refused."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsfm import FormatError
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets


@pytest.fixture
def sets() -> GeneSets:
    table = pl.DataFrame({"name": ["a", "b", "c"], "year": [2000, None, 2020]})
    return GeneSets(
        Vocabulary(["TP53", "MDM2", "EGFR"]),
        [0, 2, 2, 5],
        [0, 2, 0, 1, 2],
        table,
        member_weights=[1, 2, 3, 4, 5],
        manifest={"inputs": ["x"], "kept": 3},
    )


@pytest.fixture
def file(sets: GeneSets, tmp_path: Path) -> Path:
    path = tmp_path / "a.gsets"
    sets.save(path)
    return path


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header and the rest of a file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def put(path: Path, header: object, rest: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


def same(one: GeneSets, other: GeneSets) -> None:
    assert one.vocabulary == other.vocabulary
    assert one.indptr.tolist() == other.indptr.tolist()
    assert one.indices.tolist() == other.indices.tolist()
    assert one.metadata.equals(other.metadata)
    assert one.manifest == other.manifest
    assert (one.member_weights is None) == (other.member_weights is None)
    if one.member_weights is not None and other.member_weights is not None:
        assert one.member_weights.tolist() == other.member_weights.tolist()


def test_save_and_open(sets: GeneSets, file: Path) -> None:
    again = GeneSets.open(file)
    same(sets, again)
    again.validate()
    assert again.indptr.dtype == np.int64
    assert again.indices.dtype == np.int32
    # Views of the file, aligned, which nobody can write to.
    assert not again.indices.flags.owndata
    assert again.indices.flags.aligned
    assert again.indptr.flags.aligned
    assert not again.indices.flags.writeable
    same(sets, GeneSets.open(file, validate=True))


def test_everything_works_on_a_mapped_collection(sets: GeneSets, file: Path) -> None:
    mapped = GeneSets.open(file)
    assert mapped[2].genes == ("TP53", "MDM2", "EGFR")
    assert mapped[1:].names == ["b", "c"]
    assert (mapped.to_csr() != sets.to_csr()).nnz == 0
    assert mapped.filter(min_size=1).names == ["a", "c"]
    assert mapped.reindex(Vocabulary(["MDM2"])).sizes.tolist() == [0, 0, 1]
    assert len(mapped.union(sets)) == 6
    again = file.with_name("b.gsets")
    mapped.save(again)
    assert again.read_bytes() == file.read_bytes()
    mapped.save(file)  # onto itself
    same(GeneSets.open(file), sets)


def test_no_weights_no_members_no_sets(tmp_path: Path) -> None:
    path = tmp_path / "a.gsets"
    for sets in (
        GeneSets.from_lists({"a": ["A"]}),
        GeneSets.from_lists([[], []]),
        GeneSets.from_lists([]),
        GeneSets.from_lists([["é", "\u2028", "x\ty"]]),
    ):
        sets.save(path)
        same(sets, GeneSets.open(path, validate=True))


def test_other_readers_of_safetensors_read_it(sets: GeneSets, file: Path) -> None:
    tensors = safetensors.numpy.load_file(file)
    assert sorted(tensors) == ["indices", "indptr", "member_weights", "metadata", "vocabulary"]
    assert tensors["indices"].tolist() == sets.indices.tolist()
    assert bytes(tensors["vocabulary"]) == b"TP53\nMDM2\nEGFR"
    with safetensors.safe_open(file, "np") as opened:
        about = opened.metadata()
    assert about["format"] == "gsfm-sets/1"
    assert json.loads(about["manifest"]) == sets.manifest


def test_a_file_of_another_writer_of_safetensors(sets: GeneSets, file: Path) -> None:
    """The order of the tensors and the padding are the writer's own affair."""
    tensors = safetensors.numpy.load_file(file)
    about = {"format": "gsfm-sets/1"}
    safetensors.numpy.save_file(dict(reversed(tensors.items())), file, about)
    again = GeneSets.open(file, validate=True)
    assert again.indices.tolist() == sets.indices.tolist()
    assert again.manifest == {}


def test_a_symbol_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line break"):
        GeneSets.from_lists([["A\nB"]]).save(tmp_path / "a.gsets")
    assert not list(tmp_path.iterdir())


# -- attacks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"one\td\tA\tB\tC\n",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 1 << 63) + b"{}" + bytes(100),
        struct.pack("<Q", 1000) + b'{"a":1}' + bytes(100),
        struct.pack("<Q", 7) + b'["a":1]' + bytes(100),
        struct.pack("<Q", 100) + b"{" * 100,
        struct.pack("<Q", 50_000) + b'{"a":' * 10_000,
        struct.pack("<Q", 15) + b'{"a":0,"a":0}  ',
        struct.pack("<Q", 4) + b'{"\xff"' + bytes(9),
    ],
)
def test_what_is_no_safetensors_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.gsets"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        GeneSets.open(path)
    assert caught.value.path == str(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        GeneSets.open(tmp_path / "none.gsets")


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"format": 1}, [], "x"])
def test_other_safetensors_files(metadata: object, file: Path) -> None:
    header, rest = parts(file)
    header["__metadata__"] = metadata
    if metadata is None:
        del header["__metadata__"]
    put(file, header, rest)
    with pytest.raises(FormatError):
        GeneSets.open(file)


@pytest.mark.parametrize("manifest", ["{", "[]", "1", '{"a": NaN'])
def test_bad_manifests(manifest: str, file: Path) -> None:
    header, rest = parts(file)
    header["__metadata__"]["manifest"] = manifest
    put(file, header, rest)
    with pytest.raises(FormatError, match="manifest"):
        GeneSets.open(file)


@pytest.mark.parametrize("name", ["indptr", "indices", "vocabulary", "metadata", "member_weights"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dtype", "F64"),
        ("dtype", "I128"),
        ("dtype", ["I32"]),
        ("dtype", None),
        ("shape", [1 << 62]),
        ("shape", [-1]),
        ("shape", [2.0]),
        ("shape", [True]),
        ("shape", 3),
        ("shape", []),
        ("data_offsets", [0, 1 << 62]),
        ("data_offsets", [-8, 0]),
        ("data_offsets", [8, 0]),
        ("data_offsets", [0, 0]),
        ("data_offsets", [0]),
        ("data_offsets", ["0", "8"]),
        ("extra", 1),
    ],
)
def test_entries_that_lie(name: str, field: str, value: object, file: Path) -> None:
    header, rest = parts(file)
    header[name][field] = value
    put(file, header, rest)
    with pytest.raises(FormatError):
        GeneSets.open(file)


def test_tensors_that_overlap_or_leave_holes(file: Path) -> None:
    header, rest = parts(file)
    shared = json.loads(json.dumps(header))
    shared["member_weights"]["data_offsets"] = shared["indices"]["data_offsets"]
    put(file, shared, rest)
    with pytest.raises(FormatError, match="invalid offset"):
        GeneSets.open(file)
    put(file, header, rest + b"x")
    with pytest.raises(FormatError, match="incomplete metadata, file not fully covered"):
        GeneSets.open(file)
    put(file, header, rest[:-1])
    with pytest.raises(FormatError, match="incomplete metadata, file not fully covered"):
        GeneSets.open(file)


@pytest.mark.parametrize("name", ["indptr", "indices", "vocabulary", "metadata"])
def test_missing_tensors(name: str, file: Path) -> None:
    tensors = safetensors.numpy.load_file(file)
    del tensors[name]
    safetensors.numpy.save_file(tensors, file, {"format": "gsfm-sets/1"})
    with pytest.raises(FormatError, match=f"{name!r} is missing"):
        GeneSets.open(file)


def test_unknown_tensors(file: Path) -> None:
    change(file, more=np.zeros(1, np.float32))
    with pytest.raises(FormatError, match="'more' is not part of the format"):
        GeneSets.open(file)


def change(file: Path, **tensors: Any) -> None:
    values = safetensors.numpy.load_file(file)
    values |= {name: np.asarray(value) for name, value in tensors.items()}
    safetensors.numpy.save_file(values, file, {"format": "gsfm-sets/1"})


@pytest.mark.parametrize(
    "tensors",
    [
        {"indptr": np.array([0, 2, 2, 4])},
        {"indptr": np.array([1, 2, 2, 5])},
        {"indptr": np.array([0, 3, 2, 5])},
        {"indptr": np.array([], np.int64)},
        {"indptr": np.array([[0, 2, 2, 5]])},
        {"indptr": np.array([0, 2, 2, 5], np.int32)},
        {"indptr": np.array([0, -(2**62), 2**62, 5])},
        {"indices": np.zeros((5, 1), np.int32)},
        {"member_weights": np.zeros(4, np.float32)},
        {"vocabulary": np.frombuffer(b"A\nA", np.uint8)},
        {"vocabulary": np.frombuffer(b"A\n\nB", np.uint8)},
        {"vocabulary": np.frombuffer(b"A\n\xff", np.uint8)},
    ],
)
def test_what_is_checked_at_opening(tensors: dict[str, Any], file: Path) -> None:
    change(file, **tensors)
    with pytest.raises(FormatError):
        GeneSets.open(file)


@pytest.mark.parametrize("indices", [[0, 3, 0, 1, 2], [0, -1, 0, 1, 2], [2, 0, 0, 1, 2], [0] * 5])
def test_members_are_checked_before_they_index_anything(indices: list[int], file: Path) -> None:
    change(file, indices=np.array(indices, np.int32))
    with pytest.raises(FormatError):
        GeneSets.open(file, validate=True)
    mapped = GeneSets.open(file)
    for use in (
        lambda: mapped.validate(),
        lambda: mapped.to_csr(),
        lambda: mapped.reindex(Vocabulary(["TP53"])),
        lambda: mapped.deduplicate(),
        lambda: mapped.near_duplicates(),
        lambda: mapped.overlap(mapped),
        lambda: mapped.union(mapped),
        lambda: mapped.resolve(),
    ):
        with pytest.raises(FormatError, match=str(file)):
            use()


def test_one_set_is_checked_alone(file: Path) -> None:
    change(file, indices=np.array([0, -1, 0, 1, 2], np.int32))
    mapped = GeneSets.open(file)
    assert mapped[2].genes == ("TP53", "MDM2", "EGFR")
    with pytest.raises(FormatError, match="set 1: a gene id is outside"):
        mapped.genes(0)


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"PAR1",
        b"not parquet at all, though long enough to be",
        {"name": ["a", "b"]},
        {"title": ["a", "b", "c"]},
        {"name": [1, 2, 3]},
    ],
)
def test_bad_tables_of_metadata(table: Any, file: Path) -> None:
    if isinstance(table, dict):
        buffer = io.BytesIO()
        pl.DataFrame(table).write_parquet(buffer)
        table = buffer.getvalue()
    change(file, metadata=np.frombuffer(table, np.uint8))
    with pytest.raises(FormatError, match="table of metadata"):
        GeneSets.open(file, validate=True)
    mapped = GeneSets.open(file)
    with pytest.raises(FormatError, match="table of metadata"):
        _ = mapped.metadata


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_anywhere(data: st.DataObject, sets: GeneSets, tmp_path: Path) -> None:
    """A changed or missing byte is a FormatError, or makes no difference to what is read."""
    path = tmp_path / "damaged.gsets"
    sets.save(path)
    whole = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= data.draw(st.integers(1, 255))
    else:
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    path.write_bytes(whole)
    try:
        opened = GeneSets.open(path, validate=True)
    except FormatError:
        return
    opened.manifest = sets.manifest  # no checksum is on the header itself
    same(opened, sets)


def test_every_damaged_byte_of_the_tensors_is_noticed(sets: GeneSets, file: Path) -> None:
    header, rest = parts(file)
    for at in range(len(rest)):
        changed = bytearray(rest)
        changed[at] ^= 1
        put(file, header, bytes(changed))
        with pytest.raises(FormatError):
            GeneSets.open(file, validate=True)


@pytest.mark.parametrize("sums", ["{", "[]", '{"metadata": 0}', '{"indices": "x"}'])
def test_bad_checksums(sums: str, file: Path) -> None:
    header, rest = parts(file)
    header["__metadata__"]["crc32"] = sums
    put(file, header, rest)
    with pytest.raises(FormatError):
        GeneSets.open(file, validate=True)


def test_opening_does_not_touch_the_members(tmp_path: Path) -> None:
    """A sparse file of half a billion members opens at once; checking it would take seconds."""
    n = 500_000_000
    header = {
        "__metadata__": {"format": "gsfm-sets/1"},
        "indptr": {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]},
        "indices": {"dtype": "I32", "shape": [n], "data_offsets": [16, 16 + 4 * n]},
        "vocabulary": {"dtype": "U8", "shape": [1], "data_offsets": [16 + 4 * n, 17 + 4 * n]},
        "metadata": {"dtype": "U8", "shape": [0], "data_offsets": [17 + 4 * n, 17 + 4 * n]},
    }
    path = tmp_path / "sparse.gsets"
    put(path, header, struct.pack("<qq", 0, n))
    with path.open("r+b") as stream:
        stream.seek(0, io.SEEK_END)
        stream.truncate(stream.tell() + 4 * n + 1)
        stream.seek(-1, io.SEEK_END)
        stream.write(b"A")
    sets = GeneSets.open(path)
    assert sets._unchecked == path  # its members have not been read
    assert repr(sets) == f"GeneSets(1 set, {n:,} members, 1 gene)"
    assert sets.vocabulary.symbols == ("A",)
