import java.io.BufferedReader;
import java.io.InputStreamReader;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.RuleCompiler;

/** Matches events as EventBridge does: {"pattern", "event"} a line in, true or false a line out. */
class Match {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = in.readLine()) != null;) {
            JsonNode ask = json.readTree(line);
            String pattern = ask.get("pattern").toString();
            String wrong = RuleCompiler.check(pattern);
            if (wrong != null) {
                System.out.println("invalid: " + wrong.replace('\n', ' '));
                continue;
            }
            Machine machine = new Machine();
            machine.addRule("rule", pattern);
            System.out.println(!machine.rulesForJSONEvent(ask.get("event").toString()).isEmpty());
        }
    }
}
