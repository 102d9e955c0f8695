"""Where Monoceros and gunicorn make different things of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from support.conversation import Answer
from support.reference import Served, Verdict


@dataclass(frozen=True)
class Disagreement:
    """The first request that comes out differently, or what comes behind the last one."""

    #: `refused`: gunicorn serves it, and Monoceros refuses it.
    #: `served`: Monoceros serves what gunicorn does not.
    #: `missing`: gunicorn serves it, and Monoceros neither serves nor refuses it.
    #: `environ`, `body`: both serve it, and differ in that.
    #: `connection`: they differ about whether the connection goes on after it.
    #: `ending`: one of them refuses what follows the last request, and the other sees nothing wrong.
    kind: str
    raw: bytes
    verdict: Verdict
    theirs: Served | None = None
    ours: Answer | None = None
    #: The key of an `environ` disagreement.
    key: str = ""

    def __str__(self) -> str:
        shown = f"{self.kind} {self.key}\n  bytes  {self.raw!r}\n  theirs {self.theirs}"
        return f"{shown}\n         then {self.verdict.ending} {self.verdict.detail}\n  ours   {self.ours}"


def disagreements(raw: bytes, verdict: Verdict, answers: list[Answer]) -> Iterator[Disagreement]:
    """Everything about the first request on which the two differ. What comes after it cannot be compared."""
    accepted = [answer for answer in answers if answer.is_accepted]
    refusal = answers[-1] if answers and not answers[-1].is_accepted else None
    for index, theirs in enumerate(verdict.served):
        if index == len(accepted):
            yield Disagreement("refused" if refusal else "missing", raw, verdict, theirs, refusal)
            return
        found = list(_of_request(raw, verdict, index, accepted[index]))
        yield from found
        if any(each.kind != "environ" for each in found):
            return
    if len(accepted) > len(verdict.served):
        yield Disagreement("served", raw, verdict, None, accepted[len(verdict.served)])
    elif verdict.refuses != (refusal is not None) and verdict.ending != "cut":
        # What gunicorn waits for the rest of, Monoceros may refuse at once.
        yield Disagreement("ending", raw, verdict, None, refusal)


def _of_request(raw: bytes, verdict: Verdict, index: int, ours: Answer) -> Iterator[Disagreement]:
    theirs = verdict.served[index]
    for key in sorted(theirs.environ.keys() | ours.environ.keys()):
        if theirs.environ.get(key) != ours.environ.get(key):
            yield Disagreement("environ", raw, verdict, theirs, ours, key)
    if theirs.body != ours.body:
        yield Disagreement("body", raw, verdict, theirs, ours)
    closes = verdict.ending == "close" and index == len(verdict.served) - 1
    if closes != ours.closes:
        yield Disagreement("connection", raw, verdict, theirs, ours)
