"""The files of a query are those of the reference, byte for byte (run-query-and-upload.md A7)."""

from __future__ import annotations

import csv
import io
import json

import pytest
from lxml import etree

from sctcalib.job.errors import OutputFileError
from sctcalib.runs import output
from sctcalib.runs.output import RunList
from tests.runs.helpers import GOOD, NOISE, RUN, ask, fill, good

pytestmark = pytest.mark.requirement("R88")

SHOWS = (
    "streams *calibration_SCTNoise", "run", "projecttag", "events", "time", "lhc",
)  # fmt: skip
LOOP = {
    "run": (str(RUN),),
    "lhc": ("stablebeams TRUE",),
    "partition": "ATLAS",
    "detmaskin": ("240A",),
    "projecttag": "data*_*eV",
    "streams": ("*calibration_SCTNoise 10000+",),
    "show": SHOWS,
}
ABOUT = RunList(
    "--run 267367 --lhc stablebeams TRUE --partition ATLAS ...",
    "2015-06-11 16:20:01.123456",
    script="AtlRunQuery.py",
)
QUERY_RESULT = """\
data keys: Run, Links, #LB, Start and endtime, Project tag, #Events, lhc:fillnumber, lhc:stablebeams, lhc:beamenergy, STR:calibration_SCTNoise
number of runs: 1
                                     Run: 267367
                                   Links:\x20
                                     #LB: 873
                       Start and endtime: 1433995200.123, 1434031200.456
                             Project tag: [<DataEntry [1-874) a 'data15_13TeV'>]
                                 #Events: [<DataEntry [1-874) a 15034412>]
                          lhc:fillnumber: [<DataEntry [1-874) a '3851'>]
                         lhc:stablebeams: [<DataEntry [1-74) r 'FALSE'>, <DataEntry [74-874) a 'TRUE'>]
                          lhc:beamenergy: [<DataEntry [1-874) a '6500'>]
                STR:calibration_SCTNoise: [<DataEntry [1-0) a (1201453, 512345678901)>]


"""  # noqa: E501
XML = """\
<?xml version="1.0" ?>
<!DOCTYPE LumiRangeCollection
  SYSTEM 'http://atlas-runquery.cern.ch/LumiRangeCollection.dtd'>
<!-- Good-runs-list created by AtlRunQuery.py on 2015-06-11 16:20:01.123456 -->
<LumiRangeCollection>
   <NamedLumiRange>
      <Name>MyLBCollection</Name>
      <Version>2.1</Version>
      <Metadata Name="Query">--run 267367 --lhc stablebeams TRUE --partition ATLAS ...</Metadata>
      <Metadata Name="RQTSVNVersion">CoolRunQuery-00-04-62</Metadata>
      <Metadata Name="RunList">267367</Metadata>
      <Metadata Name="StreamListInfo">
         <Stream Name="physics_Main" TotalNumOfEvents="14210387" NumOfSelectedEvents="13001255"/>
      </Metadata>
      <LumiBlockCollection>
         <Run Cut0="0" Cut1="0" Cut2="0" Cut3="0">267367</Run>
         <LBRange Start="74" End="873"/>
      </LumiBlockCollection>
   </NamedLumiRange>
</LumiRangeCollection>
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def result(path):
    return ask(fill(path, GOOD), **LOOP)


def test_query_result_is_that_of_the_reference(result):
    assert output.query_result(result) == QUERY_RESULT


def test_run_list_is_that_of_the_reference(result):
    assert output.xml_run_list(result, ABOUT) == XML


def test_json_is_the_pickle_of_the_reference(path):
    """Invented example of A7.3: two lumi blocks."""
    start = 1433995200_123000000
    run = {
        "run": RUN, "project": "data15_13TeV", "start": start, "end": start + 120_300_000_000,
        "lumi_blocks": [start, start + 60_100_000_000],
    }  # fmt: skip
    found = ask(fill(path, run), show=("run", "time", "projecttag"))
    assert json.loads(output.as_json(found)) == {
        "Run": [RUN],
        str(RUN): {
            "Run": RUN,
            "Links": "",
            "#LB": [2, [0.0, 60.1, 120.3]],
            "Start and endtime": "1433995200.123, 1433995320.423",
            "Project tag": [{"firstlb": 1, "lastlb": 2, "value": "data15_13TeV", "accepted": True}],
        },
    }


def test_columns_come_in_the_order_of_the_original(path):
    shows = ("lhc min", "events", "streams phys*", "duration", "projecttag", "time", "run",
             "streams *", "events", "partition", "detmask", "readyforphysics")  # fmt: skip
    found = ask(fill(path, GOOD), show=shows)
    assert output.keys(found) == [
        "Run", "Links", "#LB", "Start and endtime", "Duration", "lhc:stablebeams", "#Events",
        "Project tag", "Partition name", "Detector mask", "Ready for physics",
        "STR:physics_Main", f"STR:{NOISE}",
    ]  # fmt: skip


def test_without_items_run_and_times_are_shown(path):
    assert output.keys(ask(fill(path, GOOD))) == ["Run", "Links", "#LB", "Start and endtime"]


def test_unknown_values_are_not_available(path):
    fill(path, good(RUN), {"run": 300000})
    text = output.query_result(ask(path, show=(*SHOWS, "duration", "lhc all")))
    unknown = text.partition("Run: 300000")[2].partition("Run: 267367")[0]
    assert "#LB: 1\n" in unknown
    assert "Start and endtime: n.a., n.a.\n" in unknown
    assert "Duration: n.a.\n" in unknown
    assert "Project tag: [<DataEntry [1-2) a 'n.a.'>]\n" in unknown
    assert f"STR:{NOISE}: [<DataEntry [1-0) a 'n.a.'>]\n" in unknown
    assert "lhc:beammode: [<DataEntry [1-2) a 'n.a.'>]" in unknown


def test_a_stream_without_size_and_a_run_without_the_stream(path):
    fill(path, good(1, streams={NOISE: {"events": 7}}), good(2, streams={}))
    text = output.query_result(ask(path, show=("streams *",)))
    assert f"STR:{NOISE}: [<DataEntry [1-0) a (7, 'n.a.')>]\n" in text
    assert f"STR:{NOISE}: [<DataEntry [1-0) a 'n.a.'>]\n" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0h 0m 0s"), (36000, "10h 0m 0s"), (93784, "1d 2h 3m 4s"), (None, "n.a.")],
)
def test_durations(seconds, text):
    assert output.duration_text(seconds) == text


def test_run_list_without_runs_is_well_formed_and_empty(path):
    text = output.xml_run_list(ask(fill(path)), ABOUT)
    root = etree.fromstring(text.encode())
    assert root.findtext('.//Metadata[@Name="RunList"]') == ""
    assert root.find(".//LumiBlockCollection") is None


def test_run_list_of_two_runs_and_of_several_ranges(path):
    flags = [{"first": n, "last": n, "value": n != 2} for n in (1, 2, 3)]
    more = good(RUN + 1, lumi_blocks=3, stable_beams=flags, streams={"physics_B": {"events": 4}})
    text = output.xml_run_list(ask(fill(path, GOOD, more), lhc=("stablebeams TRUE",)), ABOUT)
    root = etree.fromstring(text.encode())
    assert root.findtext('.//Metadata[@Name="RunList"]') == f"{RUN + 1},{RUN}"
    first, second = root.findall(".//LumiBlockCollection")
    assert [dict(r.attrib) for r in first.findall("LBRange")] == [
        {"Start": "1", "End": "1"}, {"Start": "3", "End": "3"},
    ]  # fmt: skip
    assert second.findtext("Run") == str(RUN)
    streams = [dict(s.attrib) for s in root.findall(".//Stream")]
    assert streams == [
        {"Name": "physics_B", "TotalNumOfEvents": "4"},
        {"Name": "physics_Main", "TotalNumOfEvents": "14210387", "NumOfSelectedEvents": "13001255"},
    ]


def test_selected_events_are_only_said_where_they_are_known(path):
    """Blocks that are selected in part, or counts that do not add up, do not tell."""
    halves = [{"first": 1, "last": 400, "events": 5}, {"first": 401, "last": 873, "events": 5}]
    for blocks, events, said in (
        (halves, 10, False),
        (None, 10, False),
        ([{"first": 74, "last": 873, "events": 5}], 10, False),
        ([{"first": 74, "last": 873, "events": 5}], 5, True),
    ):
        stream = {"events": events} | ({"blocks": blocks} if blocks else {})
        fill(path, good(RUN, streams={"physics_Main": stream}))
        whole = output.xml_run_list(ask(path), ABOUT)
        part = output.xml_run_list(ask(path, lhc=("stablebeams TRUE",)), ABOUT)
        assert f'NumOfSelectedEvents="{events}"' in whole
        assert ("NumOfSelectedEvents" in part) == said


def test_the_query_in_the_run_list_ends_before_the_first_slash_and_is_escaped(result):
    about = RunList("find run 1<5 & more / show run", "now", name="A&B")
    root = etree.fromstring(output.xml_run_list(result, about).encode())
    assert root.findtext('.//Metadata[@Name="Query"]') == "find run 1<5 & more"
    assert root.findtext(".//Name") == "A&B"


def test_files_are_written_whole_and_old_ones_do_not_stay(result, path, tmp_path):
    folder = tmp_path / "data"
    output.write_files(folder, result, ABOUT, output.RUN_LIST)
    assert {p.name: p.read_text() for p in folder.iterdir()} == {
        "QueryResult.txt": QUERY_RESULT,
        "MyLBCollection.xml": XML,
        "atlrunquery.json": output.as_json(result),
    }
    nothing = ask(path, run=("5",))
    output.write_files(folder, nothing, ABOUT, output.RUN_LIST)
    assert [p.name for p in folder.iterdir()] == ["MyLBCollection.xml"]
    output.write_files(folder, nothing, None, output.RUN_LIST)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_output_error(result, tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(OutputFileError, match="cannot be written"):
        output.write_files(tmp_path / "data", result, ABOUT, output.RUN_LIST)


def test_csv_has_a_row_for_each_run(path):
    fill(path, GOOD, good(RUN + 1, fill=None))
    rows = list(csv.DictReader(io.StringIO(output.as_csv(ask(path, show=SHOWS)))))
    assert [row["Run"] for row in rows] == [str(RUN + 1), str(RUN)]
    assert rows[0]["lhc:fillnumber"] == "n.a."
    assert rows[1]["lhc:stablebeams"] == "1-73:FALSE 74-873:TRUE"
    assert rows[1][f"STR:{NOISE}"] == "1201453"
