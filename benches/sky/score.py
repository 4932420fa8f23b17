#!/usr/bin/env python3
"""Velocities of a simulated plate against its truth: how many are wrong without a flag, and how honest the errors are.

    relrv simulate --sky hard --teff 4300,25000 --stars 60 --nights 4 --exposures 3 --seed 951 --snr 5,80 --out plate
    relrv measure plate --out rv.csv
    benches/sky/score.py rv.csv plate/truth.csv

Single stars with three exposures or more. From each velocity are taken the truth, the common offset of its exposure (what a zero
point takes off) and the median of its star; what is left counts in units of rv_err_own. Needs Python alone.
"""
import csv
import statistics
import sys
from collections import defaultdict

SINGLE = {"constant", "sb1", "pulsator"}


def key(row):
    return row["file"].split("/")[-1], row["arm"], row["lmjm"]


def mean(values, errors):
    weights = [1 / e**2 for e in errors]
    return sum(v * w for v, w in zip(values, weights)) / sum(weights)


def read(table, truth):
    with open(truth) as file:
        made = {key(row): row for row in csv.DictReader(file)}
    stars = defaultdict(list)
    with open(table) as file:
        for row in csv.DictReader(file):
            of = made[key(row)]
            if of["kind"] in SINGLE:
                rv = float(row["rv"] or "nan") - float(of["rv_true"]) - float(of["zp_true"])
                err = float(row["rv_err_own"] or "nan")
                exposure = row["arm"], row["spid"], row["lmjm"]
                found = [rv, err, int(row["flags"]), exposure, of.get("damage", ""), of["kind"]]
                stars[row["arm"], row["star"]].append(found)
    return stars


def good(rows):
    return [r for r in rows if r[2] == 0 and r[0] == r[0]]


def take_off_exposures(stars):
    """The common offset of each exposure, by unflagged velocities about their stars' means; far ones count less."""
    offsets = defaultdict(list)
    for rows in stars.values():
        sure = good(rows)
        if len(sure) >= 4:
            zero = mean([r[0] for r in sure], [r[1] for r in sure])
            for r in sure:
                offsets[r[3]].append((r[0] - zero, r[1]))
    for exposure, values in offsets.items():
        centre = statistics.median(v for v, _ in values)
        for _ in range(3):
            errors = [e * (1 + ((v - centre) / 3 / e) ** 2) ** 0.5 for v, e in values]
            centre = mean([v for v, _ in values], errors)
        offsets[exposure] = centre
    for rows in stars.values():
        for r in rows:
            r[0] -= offsets.get(r[3], 0.0)


def score(arm, stars):
    n = flagged = beyond = damaged = damaged_flagged = 0
    hit, pulls = 0, []
    for rows in (rows for (a, _), rows in stars.items() if a == arm and len(rows) >= 3):
        known = [r[0] for r in rows if r[0] == r[0] and not r[4]]
        zero = statistics.median(known) if known else 0.0
        wrong = sum(r[2] == 0 and not abs(r[0] - zero) <= 5 * r[1] for r in rows)
        n, beyond, hit = n + len(rows), beyond + wrong, hit + (wrong > 0)
        flagged += sum(r[2] != 0 for r in rows)
        damaged += sum(r[4] != "" for r in rows)
        damaged_flagged += sum(r[4] != "" and r[2] != 0 for r in rows)
        sure = good(rows)
        if len(sure) >= 4 and rows[0][5] != "pulsator":
            weight = sum(1 / r[1] ** 2 for r in sure)
            zero = mean([r[0] for r in sure], [r[1] for r in sure])
            for r in sure:
                share = 1 / r[1] ** 2 / weight
                pull = (r[0] - zero) / r[1] / max(1 - share, 1e-3) ** 0.5
                if share < 0.9 and abs(pull) < 5:
                    pulls.append(pull)
    pull = (sum(p * p for p in pulls) / max(len(pulls), 1)) ** 0.5
    print(
        f"{arm:5} {n} velocities, unflagged {100 * (n - flagged) / n:.1f} %, of these beyond 5 sigma"
        f" {100 * beyond / max(n - flagged, 1):.2f} %, stars hit {hit}, pull {pull:.3f},"
        f" damaged exposures flagged {damaged_flagged} of {damaged}"
    )


stars = read(*sys.argv[1:3])
take_off_exposures(stars)
for arm in ("blue", "red"):
    score(arm, stars)
