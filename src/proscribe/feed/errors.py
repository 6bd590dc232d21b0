"""What can be wrong with a feed. One class and one code an attack, so that whoever reads it knows which it was."""

from __future__ import annotations

from proscribe.errors import ProscribeError


class FeedError(ProscribeError):
    """Root of what is refused of a feed; what was accepted before stays as it was."""

    code = "feed.error"


class FeedRolledBack(FeedError):
    """An older state of the feed was served than one that was accepted here."""

    code = "feed.rollback"


class FeedFrozen(FeedError):
    """The feed's sign of life (timestamp or snapshot) lapsed: somebody may be keeping news from us."""

    code = "feed.frozen"


class FeedExpired(FeedError):
    """The part that the officers sign (root or targets) lapsed."""

    code = "feed.expired"


class FeedThreshold(FeedError):
    """Fewer keys signed than the root asks for: a stolen single key gets as far as this."""

    code = "feed.threshold"


class FeedWrongRoot(FeedError):
    """Signed by none of the keys that the pinned root names, or the pinned root is not this feed's."""

    code = "feed.wrong-root"


class FeedChanged(FeedError):
    """A file is not what its signatures or digests say."""

    code = "feed.changed"


class FeedMixed(FeedError):
    """Files that were each signed once, but never belonged together."""

    code = "feed.mixed"


class FeedTooLarge(FeedError):
    """A file, or the feed as a whole, is larger than it may be; reading stopped there."""

    code = "feed.too-large"


class FeedTooSlow(FeedError):
    """A file did not arrive in time."""

    code = "feed.too-slow"
    transient = True


class FeedUnavailable(FeedError):
    """Nobody answers at the feed's address, or not with a feed."""

    code = "feed.unavailable"
    transient = True


class FeedIncomplete(FeedError):
    """A file is missing that the signed part promises: held back, or still being copied there."""

    code = "feed.incomplete"
    transient = True


class FeedAddress(FeedError):
    """The configured source is neither an ``https`` address, nor a folder, nor a packed feed."""

    code = "feed.address"


class FeedPackage(FeedError):
    """A packed feed that is not what ``feed pack`` writes: damaged, or made to do harm."""

    code = "feed.package"


class FeedBusy(FeedError):
    """Another process pulls this feed at this moment."""

    code = "feed.busy"
    transient = True


class FeedFolder(FeedError):
    """The authority's folder is not one, or already is one."""

    code = "feed.folder"


class FeedKey(FeedError):
    """A key that has no part in this feed, or a role without enough keys."""

    code = "feed.key"


class FeedItem(FeedError):
    """A file that has no place in a feed, or would replace what was published."""

    code = "feed.item"


class ItemRewritten(FeedError):
    """A published version came back with other content."""

    code = "feed.rewritten"


class ItemOlder(FeedError):
    """An older version appeared after a newer one was accepted."""

    code = "feed.older"


class ItemMisplaced(FeedError):
    """A document lies under a name that is not its own."""

    code = "feed.misplaced"


class ItemUnreadable(FeedError):
    """An item that passed the feed's own check is not a document of the kind its place says."""

    code = "feed.unreadable-item"


class NotAdopted(FeedError):
    """A directive may not be adopted here: the policy, a missing approval, signature or standing order."""

    code = "feed.not-adopted"


class UnknownFeed(FeedError):
    """No feed of that name is configured."""

    code = "feed.unknown"
