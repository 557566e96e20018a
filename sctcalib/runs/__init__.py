"""What is known of a run from outside its data: times, lumi blocks, partitions."""
