"""Socket to parsed trades, beside the yardsticks and other clients: `python -m benchmarks.ingest [--rounds 5]`."""

import argparse

from benchmarks.stand.rounds import Run, interleaved, ratio, table

PEERS = ("cryptofeed", "unicorn_picows", "unicorn", "ccxt", "python_binance", "run_forever")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    results = interleaved([Run(case) for case in ("bare", "picows", "ingest", *PEERS)], args.rounds)
    print(table(results))
    ours = Run("ingest")
    print("\n| ratio | measured | goal | stretch |\n|---|---|---|---|")
    print(f"| ingest / bare loop | {ratio(results, ours, Run('bare'))} | ≤ 1.3 | ≤ 1.1 |")
    print(f"| ingest / picows + msgspec | {ratio(results, ours, Run('picows'))} | ≤ 1.1 | ≤ 0.9 |")
    print(f"| cryptofeed / ingest | {ratio(results, Run('cryptofeed'), ours)} | ≥ 6 | ≥ 8 |")
    for peer in PEERS[1:]:
        print(f"| {peer} / ingest | {ratio(results, Run(peer), ours)} | | |")


if __name__ == "__main__":
    main()
