-- Devices outside a directive's scope on which the banned app was seen all the same.
SELECT count(DISTINCT h.device)
FROM hit AS h
JOIN watch AS w ON w.app = h.app AND w.ban = ? AND w.violation
LEFT JOIN violator AS v ON v.ban = w.ban AND v.device = h.device
WHERE h.present AND v.device IS NULL
