"""Publisher identity: whose valid signature a package carries, and whether the catalogue knows them."""

from proscribe.assess.signing.lineage import describe_step, identities_of, lineage_of
from proscribe.assess.signing.publisher import match_publisher
from proscribe.assess.signing.verify import verify_apk

__all__ = ["describe_step", "identities_of", "lineage_of", "match_publisher", "verify_apk"]
