"""A ban as a STIX 2.1 bundle (OASIS standard, 10 June 2021): written for partners, and read from them as a proposal."""
