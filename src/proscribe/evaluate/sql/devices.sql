-- Devices in integers: each row of the inventory becomes (device, standing, department, observed).
-- {now}, {skew} and {eras} are integers, or sums of comparisons with integers; {no_list} is a remark's code.
CREATE VIEW described AS
SELECT
    device,
    system,
    platform,
    enrolment,
    coalesce(department, '') AS department,
    sees,
    gives_ids,
    -- A list without a single app, from a source that lists them all, is a report that failed.
    coalesce(apps_seen, 0) > 0 OR (sees <> 'all_apps' AND NOT coalesce(array_contains(remarks, '{no_list}'), FALSE))
        AS listed,
    -- A time that came without the list says how old the list is at least: enough for "old", not for "fresh".
    CASE
        WHEN observed IS NULL THEN 'undated'
        WHEN observed > {now} + {skew} THEN 'future'
        WHEN observed < {now} - stale_after_days * 86400 THEN 'old'
        WHEN freshness = 'imported' THEN 'undated'
        ELSE 'fresh'
    END AS age,
    CASE WHEN observed IS NULL THEN -1 ELSE {eras} END AS era
FROM raw_devices;

CREATE TABLE standing AS
SELECT
    CAST(row_number() OVER (ORDER BY system, platform, enrolment, sees, gives_ids, listed, age, era) - 1 AS INTEGER)
        AS standing,
    *
FROM (SELECT DISTINCT system, platform, enrolment, sees, gives_ids, listed, age, era FROM described) AS distinct_rows;

CREATE TABLE department AS
SELECT CAST(row_number() OVER (ORDER BY name) - 1 AS INTEGER) AS department, name
FROM (SELECT DISTINCT department AS name FROM described) AS distinct_rows;

CREATE TABLE device AS
SELECT d.device, s.standing, p.department
FROM described AS d
JOIN standing AS s
    ON s.system = d.system AND s.platform = d.platform AND s.enrolment = d.enrolment AND s.sees = d.sees
    AND s.gives_ids = d.gives_ids AND s.listed = d.listed AND s.age = d.age AND s.era = d.era
JOIN department AS p ON p.name = d.department;
