-- Installs of watched apps, one row for a device, an app and a side. Only integers are read. The same app on the same
-- side can come from two sources of a merged device: one that lists it outweighs one that reports it removed.
CREATE TABLE {p}hit AS
SELECT
    device,
    app,
    side,
    coalesce(min(CASE WHEN NOT removed THEN held END), min(held)) AS held,
    coalesce(max(CASE WHEN NOT removed THEN version END), max(version)) AS version,
    bool_or(NOT removed) AS present
FROM {p}raw_installs
WHERE app IN (SELECT app FROM {p}watch)
GROUP BY device, app, side;
