#!/usr/bin/env python3
"""Run a job of the SCT calibration loop: sctcalib_trf.py --argJSON=job.json"""

import sys

try:
    from sctcalib.commands.run import main
except ModuleNotFoundError as error:
    sys.exit(
        f"{error.name} is not installed for {sys.executable}: run 'make venv' in the checkout and "
        "use .venv/bin/python, or install the package with 'pip install .'"
    )
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
