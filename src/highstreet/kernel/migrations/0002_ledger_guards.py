"""The ledger's guards: a transaction that does not sum to 0 cannot commit; postings and moves cannot change."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION kernel_journal_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM kernel_posting WHERE journal_id = NEW.journal_id
             GROUP BY currency HAVING SUM(amount) <> 0) THEN
    RAISE EXCEPTION 'journal % does not sum to 0', NEW.journal_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_balanced AFTER INSERT ON kernel_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kernel_journal_balanced();
CREATE FUNCTION kernel_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER posting_immutable BEFORE UPDATE OR DELETE ON kernel_posting
  FOR EACH ROW EXECUTE FUNCTION kernel_immutable();
CREATE TRIGGER journal_immutable BEFORE UPDATE OR DELETE ON kernel_journal
  FOR EACH ROW EXECUTE FUNCTION kernel_immutable();
"""
BACKWARD = """
DROP TRIGGER journal_immutable ON kernel_journal;
DROP TRIGGER posting_immutable ON kernel_posting;
DROP TRIGGER journal_balanced ON kernel_posting;
DROP FUNCTION kernel_immutable();
DROP FUNCTION kernel_journal_balanced();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
