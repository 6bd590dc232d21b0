"""What an Android app declares: its manifests, the XML they point to, and what two parsers make of them.

``reader.read_android`` is the way in. ``axml`` and ``arsc`` read binary XML and resource tables as Android does,
``manifest`` and ``components`` take from them what Android's package parser takes, ``special`` and ``network`` follow
the XML beside it, and ``apkinfo`` with ``compare`` sets a second, independent parser beside all that.
"""
