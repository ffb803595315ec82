-- Paid after the due date, or still open past it.
select
    subscription_id,
    count(*) as late_invoices
from {{ source('app', 'invoices') }}
where paid_on > due_on
    or (paid_on is null and due_on < (select max(event_date) from {{ source('app', 'events_daily') }}))
group by subscription_id
