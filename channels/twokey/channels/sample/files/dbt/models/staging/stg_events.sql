-- One row per customer: activity in the last 30 days of data.
select
    customer_id,
    sum(logins) as logins_30d,
    round(sum(upload_bytes) / 1000000.0, 1) as upload_mb_30d
from {{ source('app', 'events_daily') }}
where event_date > date((select max(event_date) from {{ source('app', 'events_daily') }}), '-30 days')
group by customer_id
