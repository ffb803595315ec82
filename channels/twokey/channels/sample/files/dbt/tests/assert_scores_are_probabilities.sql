-- Rows that come back are wrong.
select *
from {{ ref('churn_scores') }}
where score < 0 or score > 1
