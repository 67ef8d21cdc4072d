"""What the names of columns say about their numbers; ``docs/reading.md`` has the same table."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import NamedTuple

from gsfm.io.grid import unquoted


class Meaning(NamedTuple):
    """What a column of numbers is.

    Attributes
    ----------
    kind
        What the numbers are, in words.
    rank
        The position in the order of statistics of a ranked list, from 1; 0 if they are none.
    names
        The names of such columns, without spaces, dots, hyphens and underscores.
    """

    kind: str
    rank: int
    names: re.Pattern[str]


def _row(kind: str, rank: int, *names: str) -> Meaning:
    return Meaning(kind, rank, re.compile("|".join(names), re.IGNORECASE))


_FC = r"(log2?|ln|avglog2?)\(?(fc|fold_?change|ratio|or|oddsratio|hr|hazardratio)"
#: The first row that fits the name of a column says what it is.
MEANINGS = (
    _row("absolute value", 0, r"^abs(olute)?(\(|val|log|avg|$)"),
    _row("signed significance", 3,
         r"^sign(ed)?(?!al|if).*(p|significance)", r"^pi(stat|value|score)?$"),
    _row("p-value", 0,
         r"^(p|pr|prob|q|bh|bonferroni|svalue|pep|evalue|p(low|high|twosided))$",
         r"p\.?val|p>|padj|adj\.?p|q\.?val|fdr|fwer|^pr\(|log(10)?\(?p(?!r)|significance"),
    _row("uncertainty", 0,
         rf"^(b|beta|coef|lfc|stat|.*{_FC}\)?)?(se|sd|std|stde.*|standarde.*|var(iance)?)$",
         r"^(seb|std.*|stde.*|standard(err|dev).*|sigmasq|variance)$|^s[de](of)?(the)?diff",
         r"^ci([lru].*)?$|conf(idence)?(low|high|int|lim)|(lower|upper|low|high)(ci|cl|bound|conf|lim)"),
    _row("test statistic", 1,
         r"^(wald(stat(istic)?)?|statistic|t?stat|t|tvalue|tstatistic|moderatedt|scores?)$",
         r"^(zscores?|z|zstat|normz|signal2noise|s2n|metric|rankmetric(score)?|rankingmetric)$",
         r"test_?stat(istic)?$|^(log2?)?(bf|bayesfactor)$"),
    _row("log odds without a sign", 0, r"^(?-i:B)$|^lods?$"),
    _row("log fold change", 2,
         rf"^(avg|ave|average|mean|median|shrunken)?{_FC}s?\)?$|^lfc$|^log2fold|diff(erence)?$",
         r"^(b|beta|effect(size)?|estimate|coef(ficient)?)$"),
    _row("mean", 0,
         r"^(base)?mean|^median|^(ave|avg|average)expr|^log2?cpm$|^value[12]$|^baseline$",
         r"^(tpm|fpkm|rpkm|cpm|lsmean|ibaq)|intensity"),
    _row("count", 0,
         r"^(n|num|nobs|numobs|num.*(grna|guides?)|.*goods?grnas?|s?grnas?)$|counts?$",
         r"^(pct.*|size|length|width|df.*|f|lr|rss|tech_?var|finalsigmasq|converged)$",
         r"overlap|^score\(?d\)?denominator$"),
    _row("rank, id or label", 0,
         r"^(rank|unnamed.*|index|row|no|nr|year|cluster|group|leiden|louvain)$",
         r"^(entrez|ncbi|chr(om|$)|var|unnamed)|^(geneid|start|end|pos(ition)?|strand)$|distance"),
    _row("ratio", 4, r"^(fc|hr|or|(linear)?foldchange)$|ratio"),
)  # fmt: skip

_BETWEEN = re.compile(r"[\s._|:/()-]+")


def compact(header: str) -> str:
    """The name of a column without quotes, spaces, dots, hyphens and underscores."""
    return re.sub(r"[\s._-]", "", unicodedata.normalize("NFKC", unquoted(header)))


def words(header: str) -> list[str]:
    """The words of the name of a column, in lower case.

    Examples
    --------
    >>> words("treated|logFC"), words("stat_B")
    (['treated', 'logfc'], ['stat', 'b'])
    """
    return [word for word in _BETWEEN.split(unquoted(header).lower()) if word]


@functools.lru_cache(4096)
def meaning(header: str) -> tuple[Meaning | None, bool]:
    """What the name of a column says about its numbers, and whether other words are beside it.

    The name of a condition may precede or follow that of the statistic: ``neg|lfc``, ``stat_B``.
    It does not beside a single letter but p, which could be anything.

    Examples
    --------
    >>> for name in ("avg_log2FC", "padj", "stat_B", "B"):
    ...     found, with_words = meaning(name)
    ...     print(found.kind, found.rank, with_words)
    log fold change 2 False
    p-value 0 False
    test statistic 1 True
    log odds without a sign 0 False
    """
    name = compact(header)
    for one in MEANINGS:
        if name and one.names.search(name):
            return one, False
    parts = words(header)
    cuts = itertools.chain.from_iterable((parts[:i], parts[i:]) for i in range(1, len(parts)))
    texts = [text for text in map("".join, cuts) if len(text) > 1 or text == "p"]
    return next((one for one in MEANINGS if any(map(one.names.search, texts))), None), True
