-- Integers only: which watched app was found where, under which directive, and the worst presence of each device.
CREATE TABLE finding AS
SELECT
    w.ban, h.device, h.app, h.side, h.held, h.version,
    w.target, w.thing, w.kind, w.family, w.violation,
    d.standing, d.department, g.aged,
    g.unsure OR p.unsure AS unsure,
    CASE WHEN c.device IS NOT NULL THEN 2 WHEN h.held = 0 THEN 0 ELSE 1 END AS presence
FROM hit AS h
JOIN watch AS w ON w.app = h.app
JOIN device AS d ON d.device = h.device
JOIN grade AS g ON g.ban = w.ban AND g.standing = d.standing
JOIN place AS p ON p.ban = w.ban AND p.department = d.department
LEFT JOIN contained AS c ON c.device = h.device AND c.app = h.app
WHERE h.present;

-- One row for a device with a violation under a directive.
CREATE TABLE violator AS
SELECT ban, device, min(presence) AS presence, min(standing) AS standing, min(department) AS department
FROM finding
WHERE violation
GROUP BY ban, device;

-- One row for a device with anything under a directive, by the surest way in which it was recognised.
CREATE TABLE sighting AS
SELECT ban, device, min(family) AS family, min(standing) AS standing, min(department) AS department
FROM finding
GROUP BY ban, device;

-- Devices by directive, department, standing and presence: what the fleet would be without findings, minus the devices
-- with a violation, plus the same devices under what was found. So the counts add up by construction.
CREATE TABLE tally AS
SELECT ban, department, standing, presence, CAST(sum(devices) AS BIGINT) AS devices
FROM (
    SELECT g.ban, b.department, b.standing, g.presence, b.devices
    FROM (SELECT department, standing, count(*) AS devices FROM device GROUP BY department, standing) AS b
    JOIN grade AS g ON g.standing = b.standing
    JOIN place AS p ON p.ban = g.ban AND p.department = b.department
    UNION ALL
    SELECT v.ban, v.department, v.standing, g.presence, -count(*)
    FROM violator AS v
    JOIN grade AS g ON g.ban = v.ban AND g.standing = v.standing
    GROUP BY v.ban, v.department, v.standing, g.presence
    UNION ALL
    SELECT ban, department, standing, presence, count(*)
    FROM violator
    GROUP BY ban, department, standing, presence
) AS moves
GROUP BY ban, department, standing, presence
HAVING sum(devices) <> 0;
