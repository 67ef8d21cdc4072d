"""Files of genes on the command line: what was read is said, and a choice is made by options."""

import json

SYMBOLS = ["TP53", "CDKN1A", "MDM2", "BAX"]
TABLE = ",names,scores,pvals\n" + "".join(
    f"{i},{symbol},{2 - i},0.0{i}\n" for i, symbol in enumerate(SYMBOLS)
)


def test_what_was_read_is_said(run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    found = run("genes", "resolve", "--file", str(path), "--json")
    assert f"{path}: 4 genes from column 'names' (approved)" in found.stderr
    assert [row["symbol"] for row in json.loads(found.stdout)] == SYMBOLS


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


def test_what_was_read_of_a_library_is_said(run, folder, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("Term,P-value,Genes\nrepair,0.01,TP53;MDM2;BAX;CDKN1A;MYC\n")
    found = run("enrich", "TP53", "MDM2", "BAX", "--library", str(path), "--model", folder)
    assert f"{path}: 1 set, 5 identifiers (csv: sets from column 'Term'" in found.stderr
