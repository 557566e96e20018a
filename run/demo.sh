#!/bin/sh
# Simulate two pairs of hit-map files with an earlier run to compare with, and calibrate them.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
rm -rf demo
mkdir -p demo/job
"$BIN/sctcalib" simulate hitmaps --run 267367 --previous-run 267360 \
    --files 2 --events 20000 --lumi-blocks 200 --seed 1 demo/data
cp demo/data/runInfo.txt demo/job/
cd demo/job
"$BIN/python" -u "$here/transforms/sctcalib_trf.py" --argJSON=../data/job.json --input-dir ../data
echo
for list in *.BadStripsAllFile.xml; do
    "$BIN/sctcalib" compare-truth ../data/truth.json "$list"
done
echo
echo "The results are in demo/job. Look at them, for example, with"
echo "  .venv/bin/sctcalib show demo/job/*.BadStripsSummaryFile.xml -o demo/noisy-strips.html"
echo "  .venv/bin/sctcalib cool ls demo/job/*.mycool.db"
