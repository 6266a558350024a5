"""What the code of a finding means: NEB-C001 and so on."""
