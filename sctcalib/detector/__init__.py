"""The SCT in numbers: which wafers exist, what they are called, how their strips are read out."""
