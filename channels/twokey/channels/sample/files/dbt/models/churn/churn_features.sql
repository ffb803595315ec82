{{ config(materialized='table') }}

with as_of as (
    select max(event_date) as snapshot_date
    from {{ source('app', 'events_daily') }}
),

contacts as (
    select
        c.customer_id,
        count(*) as contacts_90d
    from {{ source('app', 'support_contacts') }} as c
    cross join as_of
    where c.opened_at > date(as_of.snapshot_date, '-90 days')
    group by c.customer_id
)

select
    s.customer_id,
    as_of.snapshot_date,
    c.contact,
    c.country,
    s.plan,
    s.seats,
    cast(julianday(as_of.snapshot_date) - julianday(s.started_on) as integer) as tenure_days,
    coalesce(e.logins_30d, 0) as logins_30d,
    coalesce(e.upload_mb_30d, 0) as upload_mb_30d,
    coalesce(k.contacts_90d, 0) as contacts_90d,
    coalesce(i.late_invoices, 0) as late_invoices
from {{ source('app', 'subscriptions') }} as s
cross join as_of
inner join {{ source('app', 'customers') }} as c on s.customer_id = c.customer_id
left join {{ ref('stg_events') }} as e on s.customer_id = e.customer_id
left join {{ ref('stg_invoices') }} as i on s.subscription_id = i.subscription_id
left join contacts as k on s.customer_id = k.customer_id
where s.status = 'active'
order by s.customer_id
