"""`make mutants`: takes out one defence after the other, and checks that the test which names it fails."""
