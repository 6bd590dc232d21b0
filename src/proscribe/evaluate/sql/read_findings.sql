-- The text of findings, for devices from ? up to, and not including, ?.
SELECT
    f.ban, f.target, f.kind, f.side, f.held, f.aged, f.unsure, coalesce(x.drift, b.drift) AS drift,
    r.key, r.system, r.platform, r.enrolment, coalesce(r.department, ''), coalesce(r.scope, ''), r.observed,
    r.freshness, a.app_id, a.name, a.signer, coalesce(v.text, '')
FROM finding AS f
JOIN ban AS b ON b.ban = f.ban
JOIN raw_devices AS r ON r.device = f.device
JOIN app AS a ON a.app = f.app
LEFT JOIN raw_versions AS v ON v.version = f.version
LEFT JOIN drifted AS x ON x.ban = f.ban AND x.thing = f.thing AND x.violation = f.violation AND x.device = f.device
WHERE f.device >= ? AND f.device < ? AND r.device >= ? AND r.device < ? {only}
ORDER BY f.device, f.ban, f.kind, f.app, f.side
