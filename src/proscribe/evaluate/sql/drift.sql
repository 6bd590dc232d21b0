-- Findings against the previous snapshot. A finding's identity is (ban, thing, violation, device): "thing" is the
-- product and not the app, so an update or a new name is neither a cure nor news. Codes: 1 new, 2 continuing,
-- 3 reinstalled; the order of evaluate.model.Drift.
CREATE TABLE pair AS
SELECT DISTINCT b.device AS before_device, a.device
FROM before_alias AS b
JOIN alias AS a ON a.alias = b.alias
WHERE b.device IN (SELECT device FROM before_hit);

CREATE TABLE earlier AS
SELECT w.ban, w.thing, w.violation, p.device, h.device AS before_device, h.app, h.side, h.held, h.version, h.present
FROM before_hit AS h
JOIN before_watch AS w ON w.app = h.app
JOIN pair AS p ON p.before_device = h.device;

INSERT INTO drifted
SELECT ban, thing, violation, device, CASE WHEN bool_or(present) THEN 2 ELSE 3 END
FROM earlier
GROUP BY ban, thing, violation, device;

-- Cured: there before; not there now; and the new list could have shown it, or says itself that it was removed.
CREATE TABLE cured AS
SELECT e.ban, e.thing, e.violation, e.device, e.before_device, e.app, e.side, e.held, e.version, g.aged,
    g.unsure OR p.unsure AS unsure
FROM (
    SELECT *, row_number() OVER (PARTITION BY ban, thing, violation, device ORDER BY app, side, before_device) AS pick
    FROM earlier
    WHERE present
) AS e
JOIN device AS d ON d.device = e.device
JOIN grade AS g ON g.ban = e.ban AND g.standing = d.standing
JOIN place AS p ON p.ban = e.ban AND p.department = d.department
LEFT JOIN (SELECT DISTINCT ban, thing, violation, device FROM finding) AS f
    ON f.ban = e.ban AND f.thing = e.thing AND f.violation = e.violation AND f.device = e.device
LEFT JOIN (
    SELECT DISTINCT w.ban, w.thing, w.violation, h.device
    FROM hit AS h
    JOIN watch AS w ON w.app = h.app
    WHERE NOT h.present
) AS r ON r.ban = e.ban AND r.thing = e.thing AND r.violation = e.violation AND r.device = e.device
WHERE e.pick = 1 AND f.device IS NULL AND (g.proves_absence OR r.device IS NOT NULL);
