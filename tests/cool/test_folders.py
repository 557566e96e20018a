"""The SCT folders as data (cool-folders.md 2, 3, 6)."""

from __future__ import annotations

import pytest

from sctcalib.cool import Database, NodeError, Payload, Versioning
from sctcalib.cool.folders import (
    DESTINATION_DESCRIPTION,
    JOB_DESCRIPTION,
    SCT_FOLDERS,
    ChannelKind,
    create_sct_folder,
    folder_of_part,
    sct_folder,
)

TABLE = """
doNoisyStrip     /SCT/Derived/Monitoring          CONDBR2 NoisyStrips    SctDerivedMonitoring-RUN2-UPD4-005   module
doDeadStrip      /SCT/Derived/DeadStrips          MONP200 DeadStrips     SctDerivedDeadStrips-003-00          module
doDeadChip       /SCT/Derived/DeadChips           MONP200 DeadChips      SctDerivedDeadChips-003-00           module
doNoiseOccupancy /SCT/Derived/NoiseOccupancy      MONP200 NoiseOccupancy SctDerivedNoiseOccupancy-003-01      wafer
doRawOccupancy   /SCT/Derived/RawOccupancy        MONP200 RawOccupancy   SctDerivedRawOccupancy-003-00        wafer
doEfficiency     /SCT/Derived/Efficiency          MONP200 Efficiency     SctDerivedEfficiency-003-00          wafer
doBSErrorDB      /SCT/Derived/BSErrorsRun2        MONP200 BSErrors       SctDerivedBSErrorsRun2-001-00        wafer
doLorentzAngle   /SCT/Derived/LorentzAngleRun2_v2 MONP200 LorentzAngle   SctDerivedLorentzAngleRun2_v2-001-00 lorentz
"""  # noqa: E501
DEFECTS = (
    "SampleSize:Int32,BarrelEndcap:Int32,Layer:Int32,Eta:Int32,Phi:Int32,"
    "DefectType:String4k,Threshold:Float,DefectList:String4k"
)
START = "SampleSize:Int32,barrel_endcap:Int32,Layer:Int32,Eta:Int32,Phi:Int32,"
SPECIFICATIONS = {
    "doNoisyStrip": DEFECTS,
    "doDeadStrip": DEFECTS,
    "doDeadChip": DEFECTS,
    "doNoiseOccupancy": START + "NoiseOccupancy:Float",
    "doRawOccupancy": START + "RawOccupancy:Float",
    "doEfficiency": START + "Efficiency:Float",
    "doBSErrorDB": START + "BSErrors:String4k,BadFraction:String4k",
    "doLorentzAngle": (
        "SampleSize:Int32,barrel_endcap:Int32,Layer:Int32,Side:Int32,moduleType:Int32,"
        "lorentzAngle:Float,err_lorentzAngle:Float,chisq:Float,fitParam_a:Float,err_a:Float,"
        "fitParam_b:Float,err_b:Float,fitParam_sigma:Float,err_sigma:Float,"
        "minClusterWidth:Float,err_minClusterWidth:Float"
    ),
}


def test_the_table_of_folders_is_that_of_the_reference() -> None:
    found = [
        [
            *(f.part, f.path, f.instance, f.tag_option.removeprefix("TagID4"), f.default_tag),
            f.channels.value,
        ]
        for f in SCT_FOLDERS.values()
    ]
    assert found == [line.split() for line in TABLE.split("\n")[1:-1]]
    assert all(part == folder.part for part, folder in SCT_FOLDERS.items())
    assert all(f.tag_option.startswith("TagID4") for f in SCT_FOLDERS.values())


@pytest.mark.parametrize("part", SCT_FOLDERS)
def test_a_folder_is_made_as_athena_makes_it(db: Database, part: str) -> None:
    known = folder_of_part(part)
    folder = create_sct_folder(db, known.path)
    assert folder.node.specification == SPECIFICATIONS[part]
    assert (folder.versioning, folder.payload) == (Versioning.MULTI, Payload.SEPARATE)
    assert folder.description == JOB_DESCRIPTION
    assert folder.key_kind == "run-lumi"
    assert known.field_names == tuple(name for name, _ in folder.fields)
    assert create_sct_folder(db, known.path).id == folder.id


def test_the_two_descriptions() -> None:
    assert JOB_DESCRIPTION == (
        '<timeStamp>run-lumi</timeStamp><addrHeader><address_header service_type="256" '
        'clid="1238547719" /></addrHeader><typeName>CondAttrListCollection</typeName>'
    )
    assert JOB_DESCRIPTION.replace('"256"', '"71"') == DESTINATION_DESCRIPTION


def test_unknown_paths_and_parts_name_the_nearest(db: Database) -> None:
    with pytest.raises(NodeError, match="did you mean '/SCT/Derived/DeadChips'"):
        create_sct_folder(db, "/SCT/Derived/DeadChip")
    with pytest.raises(NodeError, match="'doDeadStrips' writes no folder; did you mean 'doDeadStr"):
        folder_of_part("doDeadStrips")
    assert sct_folder("/SCT/Derived/DeadChips").channels is ChannelKind.MODULE


def test_a_folder_with_other_fields_is_not_used(db: Database) -> None:
    db.create_folder("/SCT/Derived/DeadChips", [("x", "Int32")])
    with pytest.raises(NodeError, match="exists with other fields or versioning: x:Int32"):
        create_sct_folder(db, "/SCT/Derived/DeadChips")


def test_an_existing_folder_keeps_its_description(db: Database) -> None:
    create_sct_folder(db, "/SCT/Derived/DeadChips", DESTINATION_DESCRIPTION)
    folder = create_sct_folder(db, "/SCT/Derived/DeadChips")
    assert folder.description == DESTINATION_DESCRIPTION
