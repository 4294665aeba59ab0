"""The faults: real ones, from outside where possible, by the switches of server and peers else."""
