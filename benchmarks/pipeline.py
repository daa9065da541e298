"""Socket to updated 15-minute windows in symbol actors, beside other clients' bare callbacks: `python -m benchmarks.pipeline`.

Ours runs through the daemon's own connection actor, reader, publisher and symbol streams on their worker; whatever sheds a
trade ends the run. The others do no windows.
"""

import argparse

from benchmarks.stand.rounds import Run, interleaved, ratio, table

OURS, LARGE = Run("pipeline"), Run("pipeline", symbols=500)
GOALS = {
    "cryptofeed": ("≥ 4", "≥ 5"),
    "unicorn": ("≥ 6", "≥ 8"),
    "unicorn_picows": ("≥ 3", "≥ 4"),
    "python_binance": ("≥ 18", "≥ 25"),
    "ccxt": ("≥ 18", "≥ 25"),
    "run_forever": ("", ""),
}
PACED = 10_000  # trades a second
PACED_TRADES = 30_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    paced = [Run(case, rate=PACED, trades=PACED_TRADES) for case in ("bare", "pipeline", "gathered", "cryptofeed")]
    bounds = [Run("inline"), OURS, Run("inline", symbols=500), LARGE]
    results = interleaved([*bounds, *(Run(peer) for peer in GOALS), *paced], args.rounds)
    print(table(results))
    print("\n| ratio | measured | goal | stretch |\n|---|---|---|---|")
    print(f"| pipeline / inline | {ratio(results, OURS, Run('inline'))} | ≤ 1.5 | ≤ 1.2 |")
    for peer, (goal, stretch) in GOALS.items():
        print(f"| {peer} / pipeline | {ratio(results, Run(peer), OURS)} | {goal} | {stretch} |")
    _, ours, gathered, cryptofeed = paced
    print(f"| CPU at {PACED}/s: pipeline / cryptofeed | {ratio(results, ours, cryptofeed, 'share')} | ≤ 1.0 | ≤ 0.6 |")
    print(f"| the same, gathering for 5 ms | {ratio(results, gathered, cryptofeed, 'share')} | ≤ 1.0 | ≤ 0.6 |")
    print(f"| 500 symbols / 50 symbols | {ratio(results, LARGE, OURS)} | ≤ 2.5 | ≤ 1.8 |")


if __name__ == "__main__":
    main()
