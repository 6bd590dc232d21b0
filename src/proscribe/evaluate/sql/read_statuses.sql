-- One row for each device in scope of a directive, for devices from ? up to, and not including, ?.
SELECT
    r.key, r.system, r.platform, r.enrolment, coalesce(r.os_version, ''), coalesce(r.department, ''),
    coalesce(r.scope, ''), coalesce(v.presence, g.presence), g.invisible, r.observed, r.freshness,
    g.unsure OR p.unsure
FROM device AS d
JOIN grade AS g ON g.standing = d.standing AND g.ban = ?
JOIN place AS p ON p.department = d.department AND p.ban = g.ban
JOIN raw_devices AS r ON r.device = d.device
LEFT JOIN violator AS v ON v.ban = g.ban AND v.device = d.device
WHERE d.device >= ? AND d.device < ? AND r.device >= ? AND r.device < ?
ORDER BY d.device
