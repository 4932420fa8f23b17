"""Times laspec, specutils and a numpy Eq. 3 beside `relrv measure` and holds all of them against the truth.

Started by run.sh, which makes the environment. All of them measure the same exposures of simulated constant stars against
the same reference exposures, on the same velocities; what is equal and what is not is printed before the table.

Times are CPU times (user and system) per spectrum, so that what else the machine does weighs less; the programs take
turns, and the table has the medians of the rounds. Python's start and its imports are not counted, relrv's start is.
"""

import argparse
import collections
import csv
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import measures
from spectra import read_file

C_KM_S = 299792.458
ABSENT = """\
not in the table
  SERVAL      builds its template from reduced echelle orders of the instruments it knows (CARMENES, HARPS, ESPRESSO ...);
              it has no reader for a file of single LAMOST exposures. ('serval' on PyPI is a Scheme interpreter.)
  rvspecfit   fits absolute velocities with a grid of model spectra (PHOENIX, downloaded and prepared for each
              spectrograph); an exposure of the same star cannot be the template.
  redrock     fits redshifts with template bases of galaxies, quasars and stars (a download of its own); the same."""


def cpu_s(who=resource.RUSAGE_SELF):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


class Clock:
    """CPU seconds by stage."""

    def __init__(self):
        self.stages = collections.Counter()

    def run(self, stage, function, *args):
        start = cpu_s()
        result = function(*args)
        self.stages[stage] += cpu_s() - start
        return result


def relrv_measure(program, inputs, out):
    """Table of `relrv measure` with one thread on the CPU, its CPU seconds by stage, and in all."""
    start = cpu_s(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [program, "measure", *map(str, inputs), "--out", str(out), "--backend", "cpu", "--threads", "1", "-v"],
        capture_output=True, text=True, check=True)
    whole = cpu_s(resource.RUSAGE_CHILDREN) - start
    told = done.stdout + done.stderr
    with open(out) as f:
        rows = list(csv.DictReader(f))
    shares = {name.strip(): float(share) / 100
              for name, share in re.findall(r"^  (\S[^%\n]*?) +([\d.]+) % +[\d.]+ ms", told, re.M)}
    if "likelihood" not in shares:
        sys.exit(f"no stage times in what relrv told:\n{told}")
    stages = {
        "read": shares["headers"] + shares["read + inflate"],
        "continuum": shares["continuum + masks"],
        # The reference's spline is part of the comparison: the peers interpolate instead.
        "velocity": shares["reference"] + shares["likelihood"],
    }
    # Shares are of the stages' sum; what is left of the CPU time is the start and the writing.
    per_spectrum = re.findall(r"([\d.]+) ms per spectrum and core", told)
    known = sum(map(float, per_spectrum)) / 1000 * len(rows)
    scale = min(known, whole)
    return rows, {stage: share * scale for stage, share in stages.items()}, whole


def key(row):
    return os.path.basename(row["file"]), row["arm"], int(row["lmjm"])


def read_table(path):
    with open(path) as f:
        return {key(row): row for row in csv.DictReader(f)}


def stars_of(rows):
    """Keys of the rows of each star and arm, and the key of its reference."""
    stars = collections.defaultdict(list)
    references = {}
    for row in rows:
        star = row["star"], row["arm"]
        stars[star].append(key(row))
        if row["is_reference"] == "true":
            references[star] = key(row)
    return {star: (references[star], keys) for star, keys in stars.items()}


def expected_km_s(truth, exposure, reference):
    stretch = lambda r: (1 + float(r["rv_true"]) / C_KM_S) * (1 + float(r["zp_true"]) / C_KM_S)
    return C_KM_S * (stretch(truth[exposure]) / stretch(truth[reference]) - 1)


def peer_measure(method, folder, stars, grid_km_s):
    """Velocities by key, CPU seconds by stage, pixels by key."""
    clock = Clock()
    files = sorted({k[0] for _, keys in stars.values() for k in keys})
    clean = {}
    for name in files:
        for spectrum in clock.run("read", read_file, folder / name):
            clean[name, spectrum.arm, spectrum.lmjm] = clock.run("continuum", measures.normalise, spectrum)
    rv, pixels = {}, {}
    for (_, arm), (reference, keys) in stars.items():
        others = [k for k in keys if k != reference]
        measured = clock.run("velocity", method, clean[reference], [clean[k] for k in others], arm, grid_km_s)
        rv.update(zip(others, measured))
        pixels.update((k, measures.n_window(clean[k], arm)) for k in others)
    return rv, clock.stages, pixels


def simulate(program, folder, seed, n_stars):
    """A plate, and a folder with the files of its first constant stars."""
    plate, sample = folder / "plate", folder / "sample"
    subprocess.run([program, "simulate", "--out", str(plate), "--seed", str(seed), "--stars", "60", "--nights", "2",
                    "--exposures", "3", "--snr", "15,60"], check=True, stdout=subprocess.DEVNULL)
    truth = read_table(plate / "truth.csv")
    kinds = {row["star"]: row["kind"] for row in truth.values()}
    chosen = [star for star, kind in kinds.items() if kind == "constant"][:n_stars]
    sample.mkdir()
    for name in {k[0] for k, row in truth.items() if row["star"] in chosen}:
        shutil.copy(plate / name, sample / name)
    return plate, sample, truth


def scatter(rv, truth, stars):
    """Errors (km/s) of every velocity that is not the reference's, by arm."""
    errors = collections.defaultdict(list)
    for (_, arm), (reference, keys) in stars.items():
        errors[arm] += [rv[k] - expected_km_s(truth, k, reference) for k in keys if k != reference]
    return {arm: np.array(e) for arm, e in errors.items()}


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def robust(x):
    return float(1.4826 * np.median(np.abs(x - np.median(x))))


def degrees(nights):
    """Degrees of freedom about one straight line per night."""
    return sum(len(points) - 2 for points in nights if len(points) > 2)


def line_rms(nights):
    """rms about one straight line in time per night; two parameters each."""
    squares, dof = 0.0, degrees(nights)
    for points in nights:
        if len(points) > 2:
            t, v = np.array(sorted(points), float).T
            t = t - t.mean()
            squares += np.sum((v - np.polyval(np.polyfit(t, v, 1), t)) ** 2)
    return np.sqrt(squares / dof) if dof else np.nan


def real_nights(args, folder, methods, grid_km_s):
    """Each file of the folder by itself, against its own best exposure: rms about a straight line, by arm."""
    files = sorted(p for p in pathlib.Path(args.real).iterdir() if p.name.startswith("med-"))
    nights = {name: collections.defaultdict(list) for name in ["relrv", *methods]}
    quoted = collections.defaultdict(list)
    for path in files:
        rows, _, _ = relrv_measure(args.relrv, [path], folder / "real.csv")
        stars = stars_of(rows)
        for row in rows:
            nights["relrv"][path.name, row["arm"]].append((int(row["lmjm"]), float(row["rv"])))
            quoted[row["arm"]].append(float(row["rv_err_own"]))
        for name, method in methods.items():
            rv, _, _ = peer_measure(method, path.parent, stars, grid_km_s)
            for reference, keys in stars.values():
                for k in keys:
                    nights[name][path.name, k[1]].append((k[2], rv.get(k, 0.0)))
    print(f"real files: {len(files)} nights, each against its best exposure; rms about one straight line per night, km/s")
    print(f"  {'':<22}{'red':>8}{'blue':>8}")
    of_arm = lambda by_night, arm: [p for (_, a), p in by_night.items() if a == arm]
    for name, by_night in nights.items():
        print(f"  {name:<22}" + "".join(f"{line_rms(of_arm(by_night, arm)):>8.3f}" for arm in ("red", "blue")))
    print(f"  {'degrees of freedom':<22}" + "".join(f"{degrees(of_arm(nights['relrv'], arm)):>8}" for arm in ("red", "blue")))
    print(f"  {'quoted by relrv':<22}" + "".join(f"{rms(np.array(quoted[arm])):>8.3f}" for arm in ("red", "blue")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relrv", required=True)
    parser.add_argument("--real", help="folder of real med-*.fits.gz files of one star")
    parser.add_argument("--stars", type=int, default=5, help="constant stars that all measure (12 spectra each)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    args.relrv = str(pathlib.Path(args.relrv).resolve())
    methods = measures.METHODS
    grid_km_s = np.arange(-500, 501, 1.0)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        plate, sample, truth = simulate(args.relrv, folder, args.seed, args.stars)
        rows, _, _ = relrv_measure(args.relrv, [sample], folder / "rv.csv")
        stars = stars_of(rows)
        n_rows = len(rows)

        times = collections.defaultdict(list)
        wholes = collections.defaultdict(list)
        velocities, pixels = {}, {}
        for number in range(args.rounds):
            turns = ["relrv", "relrv, whole plate", *methods]
            turns = turns[number % len(turns):] + turns[:number % len(turns)]
            for name in turns:
                print(f"round {number + 1} of {args.rounds}: {name}", file=sys.stderr)
                if name.startswith("relrv"):
                    of = sample if name == "relrv" else plate
                    measured, stages, whole = relrv_measure(args.relrv, [of], folder / "rv.csv")
                    n = len(measured)
                    velocities[name] = {key(r): float(r["rv"]) for r in measured}
                    pixels[name] = {key(r): int(r["n_pix"]) for r in measured}
                else:
                    velocities[name], stages, pixels[name] = peer_measure(methods[name], sample, stars, grid_km_s)
                    n, whole = n_rows, sum(stages.values())
                # The reference exposure is measured by relrv alone.
                n_velocity = n if name.startswith("relrv") else len(velocities[name])
                per = {"read": n, "continuum": n, "velocity": n_velocity}
                times[name].append({s: 1000 * stages[s] / per[s] for s in per})
                wholes[name].append(1000 * whole / n if name.startswith("relrv") else sum(times[name][-1].values()))

        report(args, stars, rows, times, wholes, velocities, pixels, truth, plate)
        if args.real:
            real_nights(args, folder, methods, grid_km_s)
    print(ABSENT)


def report(args, stars, rows, times, wholes, velocities, pixels, truth, plate):
    version = subprocess.run([args.relrv, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    others = [k for reference, keys in stars.values() for k in keys if k != reference]
    print(f"{version}; " + "; ".join(measures.versions()))
    print(f"seed {args.seed}, medians of {args.rounds} rounds, CPU time, one thread each\n")
    print("equal work")
    files = {k[0] for _, keys in stars.values() for k in keys}
    print(f"  files               {len(files)}, the same for all; {len(plate_files(plate))} in the whole plate")
    print(f"  exposures           {len(rows)} of {len(stars) // 2} constant stars; {len(others)} velocities against "
          f"{len(stars)} references, the same exposures for all")
    print("  velocities tried    -500 to 500 km/s, every 1 km/s: 1001, and a finer search about the best by each")
    print("  window              5000-5300 A (blue), 6400-6700 A (red)")
    for name in velocities:
        n = [pixels[name][k] for k in others]
        print(f"  pixels in it        {statistics.mean(n):.0f} a spectrum  {name}")
    print("  not equal           relrv leaves cosmic rays out, laspec's cleaning, used for all peers, interpolates over them;")
    print("                      relrv measures the reference exposure too and writes errors, chi^2 and flags\n")
    spectra = {name: len(rows) for name in velocities} | {"relrv, whole plate": len(velocities["relrv, whole plate"])}
    print(f"{'':<24}{'spectra':>8}{'read':>9}{'contin.':>9}{'velocity':>9}{'whole':>9}{'ratio':>7}"
          f"{'rms red':>10}{'robust':>8}{'rms blue':>10}{'robust':>8}")
    print(f"{'':<24}{'':>8}{'ms':>9}{'ms':>9}{'ms':>9}{'ms':>9}{'':>7}{'km/s':>10}{'km/s':>8}{'km/s':>10}{'km/s':>8}")
    base = statistics.median(wholes["relrv"])
    for name in velocities:
        stage = {s: statistics.median(t[s] for t in times[name]) for s in ("read", "continuum", "velocity")}
        whole = statistics.median(wholes[name])
        errors = scatter(velocities[name], truth, stars)
        cells = "".join(f"{rms(errors[a]):>10.3f}{robust(errors[a]):>8.3f}" for a in ("red", "blue"))
        print(f"{name:<24}{spectra[name]:>8}{stage['read']:>9.2f}{stage['continuum']:>9.2f}{stage['velocity']:>9.2f}"
              f"{whole:>9.2f}{whole / base:>7.0f}{cells}")
    print("\nrms and robust (1.48 median deviation): velocity less the truth, of the same exposures in every line\n")


def plate_files(plate):
    return [p for p in plate.iterdir() if p.name.startswith("med-")]


if __name__ == "__main__":
    main()
