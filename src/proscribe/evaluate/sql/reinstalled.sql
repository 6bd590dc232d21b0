-- Keys that the caller knows to have been cured some time before the previous snapshot: present again is reinstalled.
INSERT INTO drifted
SELECT DISTINCT o.ban, o.thing, TRUE, a.device, 3
FROM once AS o
JOIN alias AS a ON a.alias = o.alias
LEFT JOIN drifted AS x ON x.ban = o.ban AND x.thing = o.thing AND x.violation AND x.device = a.device
WHERE x.device IS NULL;
