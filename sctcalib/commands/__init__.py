"""The sub-commands of ``sctcalib`` that belong to no other room."""
