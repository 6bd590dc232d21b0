-- Devices on which a thing was found, by the surest way in which it was recognised there.
SELECT thing, min(target) AS target,
    CAST(sum(CASE WHEN family = 0 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN family = 1 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN family = 2 THEN 1 ELSE 0 END) AS BIGINT)
FROM (
    SELECT thing, device, min(family) AS family, min(target) AS target
    FROM finding WHERE ban = ?
    GROUP BY thing, device
) AS held
GROUP BY thing
ORDER BY 3 DESC, 4 DESC, 5 DESC, thing
