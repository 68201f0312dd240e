import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/** Matches events as EventBridge does: {"pattern", "event"} a line in, true or false a line out. */
class Match {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        Map<String, Machine> machines = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = in.readLine()) != null;) {
            JsonNode ask = json.readTree(line);
            String pattern = ask.get("pattern").toString();
            Machine machine = machines.get(pattern);
            if (machine == null) {
                String wrong = JsonRuleCompiler.check(pattern);
                if (wrong != null) {
                    throw new IllegalArgumentException(wrong + " in the pattern " + pattern);
                }
                machine = new Machine();
                machine.addRule("rule", pattern);
                machines.put(pattern, machine);
            }
            System.out.println(!machine.rulesForJSONEvent(ask.get("event").toString()).isEmpty());
        }
    }
}
