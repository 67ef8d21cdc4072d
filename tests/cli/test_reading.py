"""Files of genes on the command line: what was read is said, and a choice is made by options."""

import json
import os
import re

import pytest

SETS = "arrest\t\tTP53\tMDM2\tCDKN1A\tBAX\n" + "".join(
    f"{name}\t\tEGFR\tGRB2\tSOS1\tKRAS\tBRAF\n" for name in ("growth", "copy", "more", "most")
)
SYMBOLS = ["TP53", "CDKN1A", "MDM2", "BAX"]
TABLE = ",names,scores,pvals\n" + "".join(
    f"{i},{symbol},{2 - i},0.0{i}\n" for i, symbol in enumerate(SYMBOLS)
)


def test_what_was_read_is_said(run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    found = run("genes", "resolve", "--file", str(path), "--json")
    assert f"{path}: 4 genes from column 'names' (approved)" in found.stderr
    assert [row["symbol"] for row in json.loads(found.stdout)["results"]] == SYMBOLS


#: Commands that read a file of genes (G), of gene sets (S) or a ranked list (R).
COMMANDS = [
    "genes resolve G",
    "complete G",
    "complete TP53 --background G",
    "complete TP53 --exclude G",
    "complete --library S",
    "annotate G --library families",
    "annotate TP53 --library S",
    "enrich G --library S --min-size 2",
    "enrich TP53 --library S --min-size 2 --background G",
    "enrich --ranked R --library S --min-size 1 --top-genes 2",
    "term growth --library S",
    "explain TP53 G",
    "explain TP53 G --show kinds",
    "relate TP53 --context G",
    "relate TP53 MDM2 --library S",
    "relate TP53 --context growth --library S",
    "network G",
    "network G --edges",
    "nearest G --among families",
    "nearest TP53 --among S",
    "prioritize G --seeds TP53,MDM2",
    "prioritize BAX --seeds G",
    "prioritize BAX --term growth --library S",
    "discover targets EGFR,G",
    "discover targets growth --library S",
    "discover understudied --library S --min-size 1 --max-papers 1000000",
    "discover understudied --library S --min-size 1 --max-papers 1000000 --background G",
    "embed genes G",
    "embed sets S",
    "library show S",
    "library show S growth",
    "sets describe S",
    "sets overlap S S",
    "sets dedup S",
    "sets similar S",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_read_is_in_json(run, folder, tmp_path, command):
    """Of every command that reads a file: its path, and how it was read, also on stderr."""
    texts = {"G": TABLE, "S": SETS, "R": TABLE}
    words = []
    for word in command.split():
        *before, last = word.split(",")
        if last in texts:
            path = tmp_path / f"{last}.csv"
            path.write_text(texts[last])
            last = str(path)
        words.append(",".join([*before, last]))
    model = [] if words[0] in ("genes", "library", "sets", "corpus") else ["--model", folder]
    found = run(*words, *model, "--json")
    assert found.exit_code == 0, found.stderr
    read = _read(json.loads(found.stdout))
    for name in set(command.replace(",", " ").split()) & set(texts):
        path = str(tmp_path / f"{name}.csv")
        how = {"format": "gmt"} if name == "S" else {"gene_column": "'names'"}
        assert any(path in one.values() and one.items() >= how.items() for one in read)
        assert f"{path}: " in found.stderr


def _read(value):
    """What was read, wherever a result has it."""
    if isinstance(value, list):
        return [one for item in value for one in _read(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("read", [])
    rest = [one for name, item in value.items() if name != "read" for one in _read(item)]
    return [*(own if isinstance(own, list) else [own] if isinstance(own, dict) else []), *rest]


@pytest.mark.parametrize(
    "command",
    [
        "genes resolve a.csv -o a.csv",
        "genes resolve --file a.csv -o ./b/../a.csv",
        "genes resolve a.csv -o link.csv",
        "complete link.csv -o a.csv",
        "complete TP53,a.csv -o a.csv",
        "complete TP53 --exclude a.csv -o a.csv",
        "enrich TP53 --background a.csv -o a.csv",
        "enrich TP53 --library a.csv -o a.csv",
        "network a.csv --save a.csv",
        "map a.csv -o a.csv",
        "sets convert a.csv a.csv",
        "sets dedup a.csv a.csv",
        "corpus build a.csv -o a.csv",
        "corpus build . -o a.csv",
        "corpus build --source publications=a.csv -o a.csv",
        "complete TP53 --model . -o a.csv",
    ],
)
def test_no_input_is_overwritten(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "b").mkdir()
    found = run(*command.split())
    assert (found.exit_code, found.stdout) == (2, "")
    assert re.fullmatch(
        r"gsfm: \S+ is an input: write to another file; see gsfm .*\n", found.stderr
    )
    assert (tmp_path / "a.csv").read_text() == TABLE


def test_a_library_is_read_from_stdin(run, folder):
    for command in ("annotate TP53 --library", "nearest TP53 --among", "term growth --library"):
        found = run(*command.split(), "-", "--model", folder, "--csv", stdin=SETS)
        assert found.exit_code == 0
        assert "<stdin>: 5 sets, 9 identifiers (gmt)" in found.stderr


def test_a_folder_with_the_name_of_a_gene_is_no_input(run, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "TP53").mkdir()
    for _ in range(2):
        done = run("complete", "TP53", "--model", folder, "-o", str(tmp_path / "TP53" / "a.csv"))
        assert done.exit_code == 0


def test_the_columns_of_a_command(run, folder, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("gene a\tgene b\n" + "TP53\tBAX\nMDM2\tCDKN1A\n" * 2)
    refused = run("complete", str(path), "--model", folder)
    assert refused.exit_code == 1
    assert "choose one with --gene-column" in refused.stderr
    by_column = run("complete", str(path), "--gene-column", "gene b", "--model", folder, "--csv")
    expected = run("complete", "BAX", "CDKN1A", "--model", folder, "--csv")
    assert by_column.stdout == expected.stdout


def test_a_missing_file_is_no_gene(run, folder):
    for path in ("nofile.txt", "./nofile", "genes.csv.gz"):
        found = run("complete", path, "--model", folder)
        assert found.exit_code == 1
        assert found.stderr.strip() == f"gsfm: {path}: there is no such file"


def test_a_device_is_named_and_a_fifo_is_read(run, folder, tmp_path):
    found = run("complete", "/dev/zero", "--model", folder)
    assert found.stderr.strip() == "gsfm: /dev/zero: a device, not a file"
    reader, writer = os.pipe()
    os.write(writer, b"TP53\nMDM2\n")
    os.close(writer)
    found = run("genes", "resolve", f"/dev/fd/{reader}", "--csv")
    os.close(reader)
    assert found.stdout.count("approved symbol") == 2


def test_what_was_read_of_a_library_is_said(run, folder, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("Term,P-value,Genes\nrepair,0.01,TP53;MDM2;BAX;CDKN1A;MYC\n")
    found = run("enrich", "TP53", "MDM2", "BAX", "--library", str(path), "--model", folder)
    assert f"{path}: 1 set, 5 identifiers (csv: sets from column 'Term'" in found.stderr
