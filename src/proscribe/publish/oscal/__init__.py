"""What became of a ban as OSCAL 1.2 (NIST): assessment results, and a plan of action for what is not compliant.

A view for those who keep their controls in OSCAL. The proof bundle stays the evidence; this names it by digest.
"""
