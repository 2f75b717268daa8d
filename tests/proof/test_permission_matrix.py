"""F61: the permission matrix in full, a thousand made-up scopes at every outlet."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from permission_matrix import Matrix, matrix_office

SCOPES = 1000


def test_f61_every_outlet_shows_what_the_judge_allows(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    with matrix_office(tmp_path) as office:
        matrix = Matrix(office, random.Random(proof_seed))
        matrix.read_all()
        while matrix.scopes < SCOPES:
            matrix.judge_company()
            told = Counter[str]()
            for (_, _, status), n in matrix.asked.items():
                told[str(status)] += n
            report(
                scopes=matrix.scopes, answers=dict(told), roles=len({r for r, *_ in matrix.asked})
            )
