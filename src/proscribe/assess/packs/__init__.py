"""Data packs: facts about Android, iOS, SDKs, hosts and countries, each row with its source."""
