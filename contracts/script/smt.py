#!/usr/bin/env python3
"""The solver that halmos.toml names: two of them at once, and whoever answers first is believed.

cvc5 translates bit vectors to integers, which is what multiplications and divisions by constants need; yices takes
them bit by bit, which is what shifts, masks and long chains of cases need. Prints what a solver prints: sat and a
model, or unsat, or unknown. Both are of xtask/requirements.txt.
"""

import subprocess
import sys
import time
from pathlib import Path

# As much as any query takes, several times over; halmos waits a little longer (halmos.toml).
SECONDS = 50


def cvc5_on_integers(path: str) -> None:
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("solve-bv-as-int", "sum")
    solver.setOption("nl-ext-tplanes", "true")
    solver.setOption("produce-models", "true")
    parser = cvc5.InputParser(solver)
    symbols = parser.getSymbolManager()
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    verdict = "unknown"
    while not (command := parser.nextCommand()).isNull():
        name = command.getCommandName()
        if name == "get-model" and verdict != "sat":
            continue
        answer = command.invoke(solver, symbols).strip()
        if name == "check-sat":
            verdict = answer.split()[0]
            answer = verdict
        if answer and name in ("check-sat", "get-model"):
            print(answer, flush=True)


def main(path: str) -> None:
    yices = str(Path(sys.executable).with_name("yices-smt2"))
    running = {
        name: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, command in {
            "cvc5": [sys.executable, __file__, "--cvc5", path],
            "yices": [yices, "--smt2-model-format", "--bvconst-in-decimal", path],
        }.items()
    }
    start, answer, by = time.monotonic(), "unknown", "nobody"
    while running and by == "nobody" and time.monotonic() < start + SECONDS:
        time.sleep(0.01)
        for name in [name for name, solver in running.items() if solver.poll() is not None]:
            said = running.pop(name).communicate()[0].strip()
            if said.split("\n")[0] in ("sat", "unsat"):
                answer, by = said, name
                break
    for solver in running.values():
        solver.kill()
        solver.wait()
    print(answer)


if sys.argv[1] == "--cvc5":
    cvc5_on_integers(sys.argv[2])
else:
    main(sys.argv[1])
