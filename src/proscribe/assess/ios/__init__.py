"""Facts of an iOS app: property lists, privacy manifests, entitlements, Mach-O imports. See ``read.read_ios``."""
