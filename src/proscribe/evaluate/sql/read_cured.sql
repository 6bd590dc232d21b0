-- The text of cured findings: the app as it was, the device as it is.
SELECT
    c.ban, w.target, w.kind, c.side, c.held, c.aged, c.unsure, 4 AS drift,
    r.key, r.system, r.platform, r.enrolment, coalesce(r.department, ''), coalesce(r.scope, ''), r.observed,
    r.freshness, a.app_id, a.name, a.signer, coalesce(v.text, '')
FROM cured AS c
JOIN before_watch AS w ON w.ban = c.ban AND w.app = c.app
JOIN raw_devices AS r ON r.device = c.device
JOIN before_app AS a ON a.app = c.app
LEFT JOIN before_raw_versions AS v ON v.version = c.version
WHERE c.device >= ? AND c.device < ? AND r.device >= ? AND r.device < ? {only}
ORDER BY c.device, c.ban, w.kind, c.app, c.side
