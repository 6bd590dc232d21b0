-- Devices in scope of a directive by department and platform, and how many of them by what was found.
SELECT
    p.name AS department, s.platform,
    CAST(sum(n.devices) AS BIGINT), CAST(sum(n.by_identifier) AS BIGINT), CAST(sum(n.by_name) AS BIGINT),
    CAST(sum(n.lookalike) AS BIGINT)
FROM (
    SELECT department, standing, devices, 0 AS by_identifier, 0 AS by_name, 0 AS lookalike FROM tally WHERE ban = ?
    UNION ALL
    SELECT department, standing, 0, CASE WHEN family = 0 THEN 1 ELSE 0 END, CASE WHEN family = 1 THEN 1 ELSE 0 END,
        CASE WHEN family = 2 THEN 1 ELSE 0 END
    FROM sighting WHERE ban = ?
) AS n
JOIN department AS p ON p.department = n.department
JOIN standing AS s ON s.standing = n.standing
GROUP BY p.name, s.platform
ORDER BY p.name, s.platform
